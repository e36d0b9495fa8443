"""Run experiments through DVC's queue, and read their results from Git."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import dvc.api
from dvc.repo import Repo

# Seconds without a live worker after which the queue counts as dead: workers take some time to start and restart.
PATIENCE = 60.0
DVC = (sys.executable, "-m", "dvc")


def run_queue(experiments: Mapping[str, Sequence[str]], targets: Sequence[str], jobs: int) -> None:
    """Queue experiments, run them, and wait for all; exit if dvc or one of them fails.

    experiments: {name: values to set, such as margin=2}; targets: stages to reproduce, with what they depend on; jobs:
    how many experiments run at once.
    """
    for name, values in experiments.items():
        settings = [word for value in values for word in ("-S", value)]
        # Not `exp run --force`, which overwrites the name but also reruns stages that did not change.
        remove = [*DVC, "exp", "remove", name]
        subprocess.run(remove, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _dvc("exp", "run", "--queue", "--name", name, *settings, *targets)
    _dvc("queue", "start", "--jobs", str(jobs))
    failed = wait(list(experiments))
    if failed:
        sys.exit(f"error: {', '.join(failed)} failed: `dvc queue logs {failed[0]}` shows why")


def wait(names: Sequence[str], folder: str | Path = ".", patience: float = PATIENCE) -> list[str]:
    """Wait until the queue of the project in `folder` has ended these experiments; return the names of the failed ones.

    Exits with one sentence if no worker has been alive for `patience` seconds, since then they would never end.
    """
    ahead, failed = list(names), []
    alive = time.monotonic()
    while ahead:
        with Repo(str(folder)) as repo:
            queue = repo.experiments.celery_queue
            ended = {row["name"]: row["status"] for row in queue.status() if row["status"] in ("Success", "Failed")}
            workers = queue.worker_status()
        for name in [name for name in ahead if name in ended]:
            print(f"{name}: {ended[name]}", flush=True)
            ahead.remove(name)
            failed += [name] if ended[name] == "Failed" else []
        if workers:
            alive = time.monotonic()
        elif ahead and time.monotonic() - alive > patience:
            sys.exit(
                f"error: no worker of DVC's queue is running, but {', '.join(ahead)} did not end: `dvc queue status`"
                f" and `dvc queue logs {ahead[0]}` show what happened; then run again"
            )
        if ahead:
            time.sleep(min(5.0, patience / 4))
    return failed


def revision(name: str) -> str:
    """Return the Git revision of an experiment of the current commit; exit with one sentence if there is none."""
    revisions = {row["Experiment"]: row["rev"] for row in dvc.api.exp_show() if row.get("Experiment")}
    if name not in revisions:
        sys.exit(
            f"error: the experiment {name} of this commit has no result: `dvc queue status` and `dvc queue logs {name}`"
            " show why"
        )
    return revisions[name]


def stored(name: str, path: str) -> dict:
    """Read a JSON file of an experiment from Git."""
    return json.loads(dvc.api.read(path, rev=revision(name)))


def _dvc(*words: str) -> None:
    done = subprocess.run([*DVC, *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)
