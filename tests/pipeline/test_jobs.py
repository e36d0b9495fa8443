"""Many runs: a job in a scratch clone, and sweeps on a Dask cluster, give what a local run gives, whatever fails.

On a small project of two stages, since what is tested is the way of the results, not the stages.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psutil
import pytest
from distributed import LocalCluster
from dvc.utils.serialize import parse_yaml

from tests.pipeline.scratch import dvc
from tools import cluster, compare_runs, job, smoke

# In one process: the tests share a project and its server.
pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("jobs")]

PIPELINE = """
stages:
  download:
    cmd: python download.py
    outs: [raw]
  folder:
    cmd: mkdir folder && echo one > folder/one
    outs: [folder]
  train:
    cmd: python train.py
    deps: [raw, train.py]
    params: [seed]
    outs: [model]
    metrics:
      - metrics.json: {cache: false}
"""
CONFIG = """
[core]
    analytics = false
    remote = shared
['remote "shared"']
    url = s3://shared/jobs
    endpointurl = {address}
"""
# Its output is only at the remote: jobs pull it. That of the stage `folder` they neither have nor need.
DOWNLOAD = "open('raw', 'w').write('raw data')\n"
# Says that it runs, and waits as long as the test wants it to.
TRAIN = """
import hashlib, json, os, pathlib, sys, time
seed = int(open('params.yaml').read().split()[1])
if seed == 13:
    sys.exit('error: the training diverged in epoch 3')
hold = pathlib.Path(os.environ['HOLD'])
(hold / f'{seed}-{os.getpid()}').touch()
while (hold / 'wait').exists():
    time.sleep(0.05)
digest = hashlib.sha256(f"{open('raw').read()} {seed}".encode()).hexdigest()
open('model', 'w').write(digest)
json.dump({'value': int(digest[:6], 16)}, open('metrics.json', 'w'))
"""


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which each training leaves a file named SEED-PID, and waits while there is one named wait."""
    folder = tmp_path / "hold"
    folder.mkdir()
    monkeypatch.setenv("HOLD", str(folder))
    return folder


@pytest.fixture(scope="module")
def published(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project that has run once, and is pushed to S3 and to a bare repository beside it."""
    above = tmp_path_factory.mktemp("jobs")
    folder = above / "project"
    folder.mkdir()
    for name, text in {"dvc.yaml": PIPELINE, "download.py": DOWNLOAD, "train.py": TRAIN}.items():
        (folder / name).write_text(text)
    (folder / "params.yaml").write_text("seed: 1\n")
    smoke.git(folder, "init", "--quiet", "--initial-branch=main")
    smoke.identify(folder)
    dvc(folder, "init", "--quiet")
    (folder / ".dvc/config").write_text(CONFIG.format(address=bucket))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLD", str(above))
        dvc(folder, "repro")
    smoke.commit(folder, "a run")
    dvc(folder, "push", "--run-cache")
    smoke.git(above, "init", "--quiet", "--bare", "origin.git")
    smoke.git(folder, "remote", "add", "origin", "../origin.git")
    smoke.git(folder, "push", "--quiet", "origin", "main")
    return above


@pytest.fixture(scope="module")
def local(published: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, str]]:
    """The MD5 of every output of plain runs of `dvc exp run` in a clone: {seed: {path: MD5}}."""
    above = tmp_path_factory.mktemp("local")
    smoke.git(above, "clone", "--quiet", str(published / "project"), "clone")
    smoke.identify(above / "clone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLD", str(above))
        dvc(above / "clone", "repro", "--quiet", "download")
        found = {}
        for seed in (2, 5):
            dvc(above / "clone", "exp", "run", "-S", f"seed={seed}")
            found[seed] = compare_runs.hashes(compare_runs.read_lock(above / "clone"))
    assert found[2] != found[5]
    return found


@pytest.fixture
def project(published: Path, hold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, and its bare repository, as copies that a test may change; it is the working directory."""
    for name in ("project", "origin.git"):
        shutil.copytree(published / name, tmp_path / name, symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def trainings(hold: Path, seed: int) -> list[int]:
    """The process ids of all trainings with a seed so far."""
    return [int(path.name.split("-")[1]) for path in hold.glob(f"{seed}-*")]


def hashes(project: Path, ref: str) -> dict[str, str]:
    """The MD5 of every output of an experiment."""
    return compare_runs.hashes(parse_yaml(smoke.git(project, "show", f"{ref}:dvc.lock"), "dvc.lock"))


@contextlib.contextmanager
def dask(folder: Path, workers: int) -> Iterator[tuple[str, list[int]]]:
    """Start scheduler and workers by docs/scaling.md, without a checkout; their address, and who restarts a worker."""
    place = folder / "elsewhere"
    place.mkdir()
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    known = ["--scheduler-file", "scheduler.json"]
    each = [*known, "--nthreads", "1", "--no-dashboard", "--resources", f"{cluster.RESOURCE}=1"]
    commands = [["scheduler", *known, "--port", "0", "--no-dashboard"], *[["worker", *each]] * workers]
    started = [subprocess.Popen([sys.executable, "-m", "dask", *words], cwd=place, env=variables) for words in commands]
    try:
        wait_until((place / "scheduler.json").exists)
        address = json.loads((place / "scheduler.json").read_text())["address"]
        yield address, [process.pid for process in started[1:]]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def wait_until(true) -> None:
    end = time.monotonic() + 300
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_job_gives_what_a_local_run_gives_and_is_not_repeated(
    project: Path, hold: Path, bucket: str, local: dict[int, dict[str, str]], tmp_path: Path
):
    """Even if two jobs want the same experiment at once."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = ("two", ["seed=2"], [], job.origin(), job.head(), scratch)
    with ThreadPoolExecutor(2) as pool:
        first, second = [pool.submit(job.run, *arguments) for _ in range(2)]
        ref, commit = first.result()
        assert second.result() == (ref, commit)
    ran = trainings(hold, 2)
    assert ran and not trainings(hold, 1) and list(scratch.iterdir()) == []
    assert smoke.git(project, "status", "--porcelain") == ""

    command = [sys.executable, "-m", "tools.job", "two", "-S", "seed=2", "train", "--repository", "../origin.git"]
    variables = smoke.environment(project) | {"PYTHONPATH": f"{smoke.ROOT}{os.pathsep}{smoke.ROOT / 'src'}"}
    done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True)
    assert f"two is at {tmp_path / 'origin.git'} as {ref}" in done.stdout
    assert trainings(hold, 2) == ran
    with pytest.raises(RuntimeError, match=r"an experiment two of this revision .* has other parameters"):
        job.run("two", ["seed=3"], [], job.origin(), job.head())

    smoke.git(project, "fetch", "--quiet", "origin", f"{ref}:{ref}")
    assert smoke.git(project, "rev-parse", ref).strip() == commit
    assert hashes(project, ref) == local[2]
    listed = boto3.client("s3", endpoint_url=bucket).list_objects_v2(Bucket="shared")["Contents"]
    keys = {entry["Key"] for entry in listed}
    model = local[2]["model"]
    assert f"jobs/files/md5/{model[:2]}/{model[2:]}" in keys
    assert any(key.startswith("jobs/runs/") for key in keys)


def test_a_stage_that_another_job_ran_is_taken_from_the_run_cache(project: Path, hold: Path):
    """Although its metrics are kept in Git, and `dvc push` leaves those out."""
    found = []
    for name in ("first", "-second"):
        ref, _ = job.run(name, ["seed=8"], [], job.origin(), job.head())
        smoke.git(project, "fetch", "--quiet", "origin", f"{ref}:{ref}")
        found.append(hashes(project, ref))
    assert found[0] == found[1]
    assert len(trainings(hold, 8)) == 1


def test_a_failed_job_is_a_sentence_with_the_end_of_its_log(project: Path, hold: Path, tmp_path: Path):
    with dask(tmp_path, workers=1) as (address, _), pytest.raises(SystemExit) as raised:
        list(cluster.run({"bad": (["seed=13"], [])}, address, pause=0.1))
    sentence, *log = str(raised.value.code).splitlines()
    assert sentence == "error: bad failed"
    assert log[0] == "bad: cannot run the experiment bad. The end of its log:"
    assert any("error: the training diverged in epoch 3" in line for line in log)


def test_two_sweeps_at_once_while_a_worker_is_killed_and_a_remote_is_away(
    project: Path, hold: Path, local: dict[int, dict[str, str]], tmp_path: Path
):
    (hold / "wait").touch()
    experiments = {f"seed-{seed}": ([f"seed={seed}"], []) for seed in (5, 6)}
    with dask(tmp_path, workers=2) as (address, nannies), ThreadPoolExecutor(2) as pool:
        sweeps = [pool.submit(lambda: sorted(cluster.run(experiments, address, pause=0.5))) for _ in range(2)]
        wait_until(lambda: trainings(hold, 5) and trainings(hold, 6))
        (pid,) = trainings(hold, 5)
        training = psutil.Process(pid)
        next(process for process in training.parents() if process.ppid() in nannies).kill()
        # Its training ends with it, and begins again on another worker, or on the one that replaces it.
        wait_until(lambda: not training.is_running() or training.status() == psutil.STATUS_ZOMBIE)
        away = (tmp_path / "origin.git").rename(tmp_path / "away.git")
        (hold / "wait").unlink()
        threading.Timer(1.5, lambda: away.rename(tmp_path / "origin.git")).start()
        assert [sweep.result() for sweep in sweeps] == [sorted(experiments)] * 2
    assert (len(trainings(hold, 5)), len(trainings(hold, 6))) == (2, 1)
    assert smoke.git(project, "status", "--porcelain") == ""
    baseline = job.head()
    assert hashes(project, f"refs/exps/{baseline[:2]}/{baseline[2:]}/seed-5") == local[5]


def test_a_scratch_folder_of_the_users_is_used_and_leaves_the_clone_alone(project: Path, local: dict):
    """Even if it lies inside the clone, and its path is relative."""
    (project / "scratch").mkdir()
    ref, _ = job.run("two", ["seed=2"], [], job.origin(), job.head(), "scratch")
    assert list((project / "scratch").iterdir()) == []
    assert smoke.git(project, "symbolic-ref", "HEAD").strip() == "refs/heads/main"
    smoke.git(project, "fetch", "--quiet", "origin", f"{ref}:{ref}")
    assert hashes(project, ref) == local[2]
    with pytest.raises(RuntimeError, match="no scratch folder can be made in nowhere"):
        job.run("x", [], [], job.origin(), job.head(), "nowhere")


# Some are names to Git, but not to DVC.
BAD_NAMES = ("a b", "x/y", "/x", "x/", "x..y", "-\\x", "x.lock", "@{x")


@pytest.mark.parametrize(
    ("name", "setting", "target", "sentence"),
    [
        *((name, "seed=2", "train", re.escape(f"{name!r} cannot be the name of an experiment")) for name in BAD_NAMES),
        ("x", "sede=2", "train", r"sede=2 cannot be set in params\.yaml: .*sede"),
        ("x", "seed=2", "trian", r"trian is no stage of dvc\.yaml"),
    ],
)
def test_what_dvc_would_refuse_is_a_sentence_at_once(
    project: Path, name: str, setting: str, target: str, sentence: str
):
    with pytest.raises(RuntimeError, match=sentence):
        job.run(name, [setting], [target], job.origin(), job.head(), pause=100.0)


def test_a_broken_pipeline_file_is_reported_at_once(project: Path):
    (project / "dvc.yaml").write_text(PIPELINE + "    nonsense: 1\n")
    smoke.commit(project, "broken")
    smoke.git(project, "push", "--quiet", "origin", "main")
    with pytest.raises(RuntimeError, match=r"(?s)dvc stage list.*nonsense"):
        job.run("x", ["seed=2"], [], job.origin(), job.head(), pause=100.0)


def test_the_callers_git_and_linker_change_no_job(
    project: Path, local: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A hook's variables, lines on standard error of every command, and settings for the user's own repositories."""
    other = tmp_path / "other"
    other.mkdir()
    smoke.git(other, "init", "--quiet")
    for name in smoke.git(other, "rev-parse", "--local-env-vars").split():
        if not name.startswith("GIT_CONFIG"):
            monkeypatch.setenv(name, str(other / ".git"))
    (tmp_path / "hooks").mkdir()
    for hook in ("post-checkout", "pre-push", "pre-commit"):
        (tmp_path / "hooks" / hook).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "hooks" / hook).chmod(0o755)
    (tmp_path / "gitconfig").write_text(
        f"[clone]\ndefaultRemoteName = upstream\n[core]\nhooksPath = {tmp_path}/hooks\nautocrlf = true\n"
        "[commit]\ngpgSign = true\n[push]\ngpgSign = if-asked\n[color]\nui = always\n[fetch]\nprune = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_TRACE", "1")
    monkeypatch.setenv("LD_PRELOAD", "/no/such/library.so")
    ref, commit = job.run("two", ["seed=2"], [], job.origin(), job.head(), pause=0.01)
    smoke.git(project, "fetch", "--quiet", "origin", f"{ref}:{ref}")
    assert smoke.git(project, "rev-parse", ref).strip() == commit
    assert hashes(project, ref) == local[2]
    assert not any((other / ".git/objects").glob("??"))


def test_a_project_in_a_folder_of_its_repository(project: Path, local: dict, monkeypatch: pytest.MonkeyPatch):
    inside = project / "nets"
    inside.mkdir()
    for name in (".dvc", ".dvcignore", *smoke.git(project, "ls-files").split()):
        if (project / name).exists() and not name.startswith(".dvc/"):
            (project / name).rename(inside / name)
    smoke.commit(project, "in a folder")
    smoke.git(project, "push", "--quiet", "origin", "main")
    with pytest.raises(RuntimeError, match=r"is no DVC project: it has no dvc\.yaml or no \.dvc at"):
        job.run("two", ["seed=2"], [], job.origin(), job.head())
    monkeypatch.chdir(inside)
    ref, _ = job.run("two", ["seed=2"], [], job.origin(), job.head(), place=job.prefix())
    smoke.git(project, "fetch", "--quiet", "origin", f"{ref}:{ref}")
    assert compare_runs.hashes(parse_yaml(smoke.git(project, "show", f"{ref}:nets/dvc.lock"), "dvc.lock")) == local[2]


def test_a_study_reads_the_data_of_the_project_around_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As in research/: data/ is a link, and what a job has run comes from the run cache."""
    inside = project / "studies"
    shutil.copytree(project / ".dvc", inside / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    (inside / "data").symlink_to("..")
    (inside / "params.yaml").symlink_to("../params.yaml")
    (inside / "dvc.yaml").write_text(
        "stages: {part: {cmd: cp data/raw part.csv && echo run, deps: [data/raw], plots: [part.csv: {cache: false}]}}"
    )
    smoke.commit(project, "a study")
    smoke.git(project, "push", "--quiet", "origin", "main")
    monkeypatch.chdir(inside)
    ref, _ = job.run("part", [], ["part"], job.origin(), job.head(), place=job.prefix(), first=["download"])
    smoke.git(project, "fetch", "--quiet", "origin", f"{ref}:{ref}")
    changed = smoke.git(project, "diff", "--name-only", "main", ref).split()
    assert changed == ["studies/dvc.lock", "studies/part.csv"]
    smoke.git(tmp_path, "clone", "--quiet", "--branch=main", "origin.git", "clone")
    clone = tmp_path / "clone"
    dvc(clone, "repro", "--quiet", "download")
    assert "Stage 'part' is cached - skipping run" in dvc(clone / "studies", "repro", "--pull")
    assert (clone / "studies/part.csv").read_text() == "raw data"


def test_a_revision_that_was_not_pushed_is_a_sentence(project: Path):
    (project / "params.yaml").write_text("seed: 3\n")
    with pytest.raises(SystemExit, match=r"from which params\.yaml differs: commit it and push"):
        list(cluster.run({"x": ([], [])}, "tcp://127.0.0.1:9"))
    smoke.commit(project, "another seed")
    with pytest.raises(RuntimeError, match=r"is not at .*origin\.git: push it first"):
        job.run("x", [], [], job.origin(), job.head())


def test_changed_code_behind_a_link_is_not_run(project: Path, monkeypatch: pytest.MonkeyPatch):
    """As in research/, whose src/ is a link to the project's; changed texts are of no matter."""
    for folder in ("src", "docs", "research"):
        (project / folder).mkdir()
        (project / folder / "file").write_text("1")
    (project / "research/src").symlink_to("../src")
    smoke.commit(project, "studies")
    monkeypatch.chdir(project / "research")
    (project / "docs/file").write_text("2")
    (project / "src/new.py").touch()
    with pytest.raises(SystemExit, match=r"from which src/new\.py differs"):
        list(cluster.run({"x": ([], [])}, "tcp://127.0.0.1:9"))
    (project / "src/new.py").unlink()
    (project / "src/file").write_text("2")
    with pytest.raises(SystemExit, match="from which src/file differs"):
        list(cluster.run({"x": ([], [])}, "tcp://127.0.0.1:9"))
    smoke.git(project, "checkout", "--quiet", "src")
    with pytest.raises(SystemExit, match="no Dask scheduler answers"):
        list(cluster.run({"x": ([], [])}, "tcp://127.0.0.1:9", patience=1.0))


def test_waiting_for_nothing_ends_in_a_sentence(project: Path):
    with pytest.raises(SystemExit, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(cluster.run({"x": ([], [])}, "tcp://127.0.0.1:9", patience=1.0))
    with (
        LocalCluster(n_workers=0, dashboard_address=None) as empty,
        pytest.raises(SystemExit, match=r"error: x failed\nx: no worker offered training for 1 s: start one"),
    ):
        list(cluster.run({"x": ([], [])}, empty.scheduler_address, patience=1.0))


def test_the_scratch_folder_goes_with_the_job(tmp_path: Path):
    """Even if the job is killed while a command runs."""
    code = "import sys, subprocess; from tools import job\nwith job._scratch(sys.argv[1]) as (folder, group):\n"
    code += "    subprocess.run(['sleep', '60'], process_group=group)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=smoke.ROOT)
    wait_until(lambda: any(child.name() == "sleep" for child in psutil.Process(process.pid).children()))
    children = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    wait_until(lambda: not list(tmp_path.iterdir()))
    wait_until(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))
