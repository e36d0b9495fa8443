"""Waiting for DVC's queue ends with the experiments, or with one sentence if no worker is left."""

import os
import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tools import experiments

HEAD = "0" * 40


class Queue:
    """DVC's queue: one state per look at the repository, and the last one for ever."""

    def __init__(self, *looks: tuple[dict[str, str], int], commits: dict[str, str]):
        """looks: the experiments' statuses by name, and how many workers are alive; commits: of those not of HEAD."""
        self._looks, self._commits = list(looks), commits
        self.killed: list[str] = []
        self.proc = SimpleNamespace(get=lambda revision: SimpleNamespace(pid=os.getpid()))

    def look(self) -> None:
        self._statuses, self._workers = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]

    def status(self) -> list[dict]:
        return [{"name": self.name(rev), "status": status, "rev": rev} for rev, status in self._statuses.items()]

    def name(self, revision: str) -> str:
        return revision.removesuffix("-old")

    def iter_active(self) -> Iterator[SimpleNamespace]:
        return self._entries("Running")

    def iter_queued(self) -> Iterator[SimpleNamespace]:
        return self._entries("Queued")

    def _entries(self, status: str) -> Iterator[SimpleNamespace]:
        for rev, at in self._statuses.items():
            if at == status:
                yield SimpleNamespace(name=self.name(rev), baseline_rev=self._commits.get(rev, HEAD), stash_rev=rev)

    def worker_status(self) -> dict[str, list]:
        return {f"worker-{number}": [] for number in range(self._workers)}

    def kill(self, names: list[str], force: bool) -> None:
        self.killed += names


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch):
    """Replace DVC's queue; there is no finished experiment."""

    def put(*looks: tuple[dict[str, str], int], **commits: str) -> Queue:
        made = Queue(*looks, commits={name.replace("_", "-"): commit for name, commit in commits.items()})

        class Repo(SimpleNamespace):
            def __enter__(self):
                made.look()
                return self

            def __exit__(self, *_):
                pass

        parts = {"experiments": SimpleNamespace(celery_queue=made), "scm": SimpleNamespace(get_rev=lambda: HEAD)}
        monkeypatch.setattr(experiments, "Repo", lambda folder: Repo(**parts))
        monkeypatch.setattr(experiments, "finished", dict)
        return made

    return put


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands of DVC that would have run."""
    words: list[tuple[str, ...]] = []
    monkeypatch.setattr(experiments, "_dvc", lambda *command, quiet=False: words.append(command))
    return words


def test_waiting_ends_with_the_last_experiment(queue):
    queue(
        ({"a": "Running", "b": "Queued"}, 1),
        ({"a": "Success", "b": "Running"}, 1),
        ({"a": "Success", "b": "Failed"}, 1),
    )
    assert list(experiments.ends(["a", "b"], patience=0.1)) == [("a", "Success"), ("b", "Failed")]


def test_a_dead_worker_ends_the_wait_in_a_sentence(queue):
    """DVC issues 10398, 10562: the experiment stays in the state Running forever."""
    dead = queue(({"a": "Running"}, 1), ({"a": "Running"}, 0))
    dead.proc.get = lambda revision: None
    with pytest.raises(SystemExit, match="no worker of DVC's queue is running, but a did not end"):
        list(experiments.ends(["a"], patience=0.05))


def test_a_worker_that_does_not_answer_is_waited_for_while_its_experiments_process_runs(queue):
    looks = [({"a": "Running"}, 0)] * 8
    queue(*looks, ({"a": "Success"}, 1))
    assert list(experiments.ends(["a"], patience=0.02)) == [("a", "Success")]


def test_an_experiment_that_ended_as_its_worker_stopped_is_no_fault(queue):
    queue(({"a": "Success"}, 0))
    assert list(experiments.ends(["a"], patience=0.05)) == [("a", "Success")]


def test_a_queue_without_dvc_on_the_path_is_dvcs_error(queue, monkeypatch: pytest.MonkeyPatch):
    queue(({}, 0))
    monkeypatch.setattr(experiments, "DVC", ("false",))
    with pytest.raises(SystemExit) as raised:
        list(experiments.queued({"a": ["margin=2"]}, ["page"], 1))
    assert raised.value.code == 1


def test_what_an_interrupted_call_queued_is_not_queued_again(queue, asked):
    queue(({"a": "Running"}, 1), ({"a": "Running"}, 1), ({"a": "Success", "b": "Success"}, 1))
    assert list(experiments.queued({"a": ["margin=2"], "b": []}, ["page"], 2)) == ["a", "b"]
    assert asked == [("exp", "run", "--queue", "--name", "b", "page"), ("queue", "start", "--jobs", "2")]


def test_only_this_commits_experiment_is_replaced_and_no_ended_one_is_taken_for_it(queue, asked, monkeypatch):
    before = {"a-old": "Success", "b-old": "Failed", "c-old": "Success"}
    queue(
        (before, 1),
        (before, 1),
        ({"c-old": "Success", "a": "Running", "b": "Queued"}, 1),
        ({"a": "Success", "b": "Success"}, 1),
    )
    monkeypatch.setattr(experiments, "finished", lambda: {"a": HEAD, "d": HEAD})
    monkeypatch.setattr(experiments, "git", lambda *_: HEAD)
    monkeypatch.setattr(experiments.time, "sleep", lambda seconds: None)
    assert list(experiments.queued({"a": [], "b": []}, [], 1)) == ["a", "b"]
    assert asked[:2] == [
        ("queue", "remove", "a-old", "b-old"),
        ("exp", "remove", f"refs/exps/{HEAD[:2]}/{HEAD[2:]}/a"),
    ]


def test_an_experiment_of_another_commit_by_that_name_is_not_waited_for(queue):
    queue(
        ({"a": "Running", "a-old": "Queued"}, 1),
        ({"a": "Running", "a-old": "Failed"}, 1),
        ({"a": "Success", "a-old": "Failed"}, 1),
        a_old="1" * 40,
    )
    assert list(experiments.ends(["a"], patience=0.1)) == [("a", "Success")]


def test_a_running_experiment_is_killed_only_if_no_worker_answers_for_long_or_its_process_ended(queue, monkeypatch):
    monkeypatch.setattr(experiments.time, "sleep", lambda seconds: None)
    late = queue(({"a": "Running"}, 0))
    answers = [{}, {}, {"worker": []}]
    late.worker_status = lambda: answers.pop(0)
    assert experiments._waiting({"a"}) == {"a"} and not late.killed

    dead = queue(({"a": "Running"}, 0))
    dead.proc.get = lambda revision: SimpleNamespace(pid=2**22 + 1)  # above the greatest of Linux
    assert experiments._waiting({"a"}) == set() and dead.killed == ["a"]

    silent = queue(({"a": "Running"}, 0))
    monkeypatch.setattr(experiments, "PATIENCE", 0.01)
    assert experiments._waiting({"a"}) == set() and silent.killed == ["a"]


def test_how_many_run_at_once_on_a_cluster_is_not_ours_to_say():
    options = SimpleNamespace(cluster="tcp://host:8786", jobs=2)
    with pytest.raises(SystemExit, match=r"at tcp://host:8786 is up to its workers"):
        experiments.run({"a": []}, [], options)


def test_a_folder_that_is_no_repository_is_a_sentence(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="needs the project as a clone by Git: fatal: not a git repository"):
        experiments.finished()


def test_failed_experiments_and_those_of_another_commit_have_no_result(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def git(*words: str) -> str:
        author = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *author, *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    git("init", "--quiet")
    for number in range(2):
        git("commit", "--quiet", "--allow-empty", "--message", str(number))
    other, own = git("rev-parse", "HEAD~"), git("rev-parse", "HEAD")
    # Where DVC keeps them: of a commit by name, and the failed ones of its queue in a stash.
    for ref in (
        f"refs/exps/{own[:2]}/{own[2:]}/good",
        f"refs/exps/{other[:2]}/{other[2:]}/old",
        "refs/exps/celery/failed",
    ):
        git("update-ref", ref, own)
    assert experiments.finished() == {"good": own}
    with pytest.raises(SystemExit, match="the experiment old of this commit has no result"):
        experiments.revision("old")
