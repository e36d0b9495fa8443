"""Run experiments through DVC's queue or on a cluster, and read their results from Git."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from dvc.repo import Repo

from tools import cluster
from tools.arguments import filled
from tools.git import git

# Seconds without a live worker after which the queue counts as dead: workers take some time to start and restart.
PATIENCE = 60.0
# The states of an experiment in DVC's queue that has not ended.
AHEAD = ("Queued", "Running")
DVC = (sys.executable, "-m", "dvc")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where experiments run."""
    parser.add_argument(
        "--jobs", type=_positive, default=1, help="experiments that run at once on this machine (default: 1)"
    )
    parser.add_argument(
        "--cluster",
        type=filled,
        metavar="ADDRESS",
        help="of a Dask scheduler; local: worker processes here (default: DVC's queue)",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} should be a number from 1")
    return int(text)


def run(experiments: Mapping[str, Sequence[str]], targets: Sequence[str], options: argparse.Namespace) -> Iterator[str]:
    """Run experiments where the options say; yield each name when its result is there.

    experiments: {name: values to set, such as margin=2}; targets: stages to reproduce, with what they depend on.
    Exits with one sentence, after the last one has ended, if one of them fails.
    """
    if not options.cluster:
        return queued(experiments, targets, options.jobs)
    if options.jobs > 1 and options.cluster != "local":
        sys.exit(f"error: how many experiments run at once at {options.cluster} is up to its workers: leave jobs out")
    return cluster.run(experiments, targets, options.cluster, options.jobs)


def queued(experiments: Mapping[str, Sequence[str]], targets: Sequence[str], jobs: int) -> Iterator[str]:
    """Queue experiments and run them, `jobs` at once; yield each name when it has ended well.

    An experiment of this commit that is in the queue already, of a call that was interrupted, stays there; a finished
    one of this commit is replaced. Exits if dvc fails, if one of that name but of another commit is running or, after
    the last one has ended, if one failed.
    """
    _folder()  # exits if this is no clone
    waiting = _waiting(set(experiments))
    ahead = {name: values for name, values in experiments.items() if name not in waiting}
    # Not `exp run --force`, which overwrites the name but also reruns stages that did not change; and not by name only,
    # which would remove another commit's experiment. What the queue shows as ended must not be taken for the new one.
    references = [_folder() + name for name in ahead.keys() & finished().keys()]
    for command, old in (("queue", _ended(ahead)), ("exp", references)):
        if old:
            _dvc(command, "remove", *old, quiet=True)
    for name, values in ahead.items():
        settings = [word for value in values for word in ("-S", value)]
        _dvc("exp", "run", "--queue", "--name", name, *settings, *targets)
    _dvc("queue", "start", "--jobs", str(jobs))
    failed = []
    for name, status in ends(list(experiments)):
        print(f"{name}: {status}", flush=True)
        if status == "Success":
            yield name
        else:
            failed.append(name)
    if failed:
        sys.exit(f"error: {', '.join(failed)} failed: `dvc queue logs {failed[0]}` shows why")


def ends(names: Sequence[str], folder: str | Path = ".", patience: float = PATIENCE) -> Iterator[tuple[str, str]]:
    """Yield each of these experiments with its status, Success or Failed, as soon as the queue has ended it.

    Those of another commit are left alone. Exits with one sentence if for `patience` seconds no worker has answered and
    none of them has had a process, since then they would never end.
    """
    ahead = list(names)
    alive = time.monotonic()
    others = None
    while ahead:
        with Repo(str(folder)) as repo:
            queue = repo.experiments.celery_queue
            if others is None:
                entries, commit = (*queue.iter_active(), *queue.iter_queued()), repo.scm.get_rev()
                others = {entry.stash_rev for entry in entries if entry.baseline_rev != commit}
            rows = [row for row in queue.status() if row["rev"] not in others]
            ended = {row["name"]: row["status"] for row in rows if row["status"] not in AHEAD}
            running = [entry for entry in queue.iter_active() if entry.name in ahead]
            # A worker of a busy machine may not answer for minutes.
            lives = queue.worker_status() or any(_is_alive(queue.proc.get(entry.stash_rev)) for entry in running)
        for name in [name for name in ahead if name in ended]:
            ahead.remove(name)
            yield name, ended[name]
        if lives:
            alive = time.monotonic()
        elif ahead and time.monotonic() - alive > patience:
            sys.exit(
                f"error: no worker of DVC's queue is running, but {', '.join(ahead)} did not end: `dvc queue status`"
                f" and `dvc queue logs {ahead[0]}` show what happened; then run again"
            )
        if ahead:
            time.sleep(min(2.0, patience / 4))


def _waiting(names: set[str]) -> set[str]:
    """Return those of `names` that are queued or running for the current commit."""
    with Repo(".") as repo:
        queue, commit = repo.experiments.celery_queue, repo.scm.get_rev()
        running = [entry for entry in queue.iter_active() if entry.name in names]
        if running and not _has_worker(queue, running):
            # Their worker died, and DVC would show them as running for ever.
            queue.kill([str(entry.name) for entry in running], force=True)
            running = []
        for entry in running:
            if entry.baseline_rev != commit:
                sys.exit(
                    f"error: an experiment {entry.name} of another commit is running: wait for it, or end it with"
                    f" `dvc queue kill {entry.name}`"
                )
        ahead = [*running, *queue.iter_queued()]
    return {entry.name for entry in ahead if entry.name in names and entry.baseline_rev == commit}


def _has_worker(queue, running: Sequence) -> bool:
    """Whether a worker of the queue answers; one of a busy machine may be late while its experiment's process runs."""
    end = time.monotonic() + PATIENCE
    while not queue.worker_status():
        processes = [queue.proc.get(entry.stash_rev) for entry in running]
        if time.monotonic() > end or not any(process is None or _is_alive(process) for process in processes):
            return False
        time.sleep(1.0)
    return True


def _is_alive(process) -> bool:
    """Whether the process of an experiment, as DVC's queue knows it (None: it has none yet), is running."""
    try:
        return process is not None and psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ended(names: Collection[str]) -> list[str]:
    """What the queue shows as ended by these names, of any commit: its revisions in the queue."""
    with Repo(".") as repo:
        rows = repo.experiments.celery_queue.status()
    return [row["rev"] for row in rows if row["name"] in names and row["status"] not in AHEAD]


def _folder() -> str:
    """Where Git keeps the experiments of the current commit."""
    commit = git("rev-parse", "HEAD").strip()
    return f"refs/exps/{commit[:2]}/{commit[2:]}/"


def finished() -> dict[str, str]:
    """Return the Git revisions of the experiments of the current commit that have a result, by name."""
    # Not by dvc.api.exp_show, which also lists failed ones, and fails itself while one of the queue is being started.
    folder = _folder()
    lines = git("for-each-ref", "--format=%(objectname) %(refname)", folder).splitlines()
    return {name.removeprefix(folder): revision for revision, name in map(str.split, lines)}


def revision(name: str) -> str:
    """Return the Git revision of an experiment of the current commit; exit with one sentence if there is none."""
    revisions = finished()
    if name not in revisions:
        sys.exit(
            f"error: the experiment {name} of this commit has no result: `dvc queue status` and `dvc queue logs {name}`"
            " show why"
        )
    return revisions[name]


def stored(name: str, path: str) -> dict:
    """Read a JSON file of an experiment from Git."""
    # By git, which fetches what a partial clone lacks.
    return json.loads(git("show", f"{revision(name)}:./{path}"))


def _dvc(*words: str, quiet: bool = False) -> None:
    done = subprocess.run([*DVC, *words], check=False, stdout=subprocess.DEVNULL if quiet else None)
    if done.returncode:
        sys.exit(done.returncode)
