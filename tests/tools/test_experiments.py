"""Waiting for DVC's queue ends with the experiments, or with one sentence if no worker is left."""

import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tools import experiments

HEAD = "0" * 40


class Queue:
    """DVC's queue as ends() sees it: one state per query, and the last one forever."""

    def __init__(self, *looks: tuple[dict[str, str], int]):
        """looks: the experiments' statuses by name, and how many workers are alive."""
        self._looks = list(looks)

    def _look(self) -> tuple[dict[str, str], int]:
        return self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]

    def status(self) -> list[dict]:
        self._statuses, self._workers = self._look()
        return [{"name": name, "status": status} for name, status in self._statuses.items()]

    def iter_active(self) -> Iterator[SimpleNamespace]:
        self.status()
        return self._entries("Running")

    def iter_queued(self) -> Iterator[SimpleNamespace]:
        return self._entries("Queued")

    def _entries(self, status: str) -> Iterator[SimpleNamespace]:
        return (SimpleNamespace(name=name, baseline_rev=HEAD) for name, at in self._statuses.items() if at == status)

    def worker_status(self) -> dict[str, list]:
        return {f"worker-{number}": [] for number in range(self._workers)}


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch):
    """Replace DVC's queue."""

    def put(*looks: tuple[dict[str, str], int]) -> None:
        made = Queue(*looks)

        class Repo(SimpleNamespace):
            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

        parts = {"experiments": SimpleNamespace(celery_queue=made), "scm": SimpleNamespace(get_rev=lambda: HEAD)}
        monkeypatch.setattr(experiments, "Repo", lambda folder: Repo(**parts))

    return put


def test_waiting_ends_with_the_last_experiment(queue):
    queue(
        ({"a": "Running", "b": "Queued"}, 1),
        ({"a": "Success", "b": "Running"}, 1),
        ({"a": "Success", "b": "Failed"}, 1),
    )
    assert list(experiments.ends(["a", "b"], patience=0.1)) == [("a", "Success"), ("b", "Failed")]


def test_a_dead_worker_ends_the_wait_in_a_sentence(queue):
    """DVC issues 10398, 10562: the experiment stays in the state Running forever."""
    queue(({"a": "Running"}, 1), ({"a": "Running"}, 0))
    with pytest.raises(SystemExit, match="no worker of DVC's queue is running, but a did not end"):
        list(experiments.ends(["a"], patience=0.05))


def test_an_experiment_that_ended_as_its_worker_stopped_is_no_fault(queue):
    queue(({"a": "Success"}, 0))
    assert list(experiments.ends(["a"], patience=0.05)) == [("a", "Success")]


def test_a_queue_without_dvc_on_the_path_is_dvcs_error(queue, monkeypatch: pytest.MonkeyPatch):
    queue(({}, 0))
    monkeypatch.setattr(experiments, "DVC", ("false",))
    with pytest.raises(SystemExit) as raised:
        list(experiments.queued({"a": ["margin=2"]}, ["page"], 1))
    assert raised.value.code == 1


def test_what_an_interrupted_call_queued_is_not_queued_again(queue, monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(experiments, "_dvc", lambda *words: asked.append(words))
    monkeypatch.setattr(experiments, "DVC", ("true",))
    queue(({"a": "Running"}, 1), ({"a": "Success", "b": "Success"}, 1))
    assert list(experiments.queued({"a": ["margin=2"], "b": []}, ["page"], 2)) == ["a", "b"]
    assert asked == [("exp", "run", "--queue", "--name", "b", "page"), ("queue", "start", "--jobs", "2")]


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
