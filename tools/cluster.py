"""Run experiments on a Dask cluster: each is a job (tools/job.py) on a worker, and its result is fetched from Git."""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence

from tqdm import tqdm

import tools.command
import tools.git
from tools import job
from tools.command import filled, positive
from tools.git import git, variables

# A worker runs as many trainings at once as it offers of this: `dask worker ... --resources training=1`.
RESOURCE = "training"
# Seconds without a worker that offers it after which nobody waits any longer: a cluster may take minutes to start one.
PATIENCE = 300.0


def run(
    experiments: Mapping[str, Sequence[str]],
    targets: Sequence[str] | Mapping[str, Sequence[str]],
    address: str,
    workers: int = 1,
    *,
    patience: float = PATIENCE,
    pause: float = job.PAUSE,
) -> Iterator[str]:
    """Run experiments of the current commit on a cluster; yield each name when its result is in this repository.

    experiments: {name: values to set, such as margin=2}; targets: stages to reproduce, of all or by name; address: of
    the scheduler, or "local" for `workers` processes on this machine; pause: of the jobs, see job.run. Exits with one
    sentence if the workspace differs from its commit, if no scheduler answers, if no worker has been there for
    `patience` seconds, or, after all others have ended, if an experiment failed.
    """
    try:
        import cloudpickle
        import distributed  # noqa: F401
    except ImportError:
        sys.exit("error: a cluster needs Dask: install the packages of the extra `cluster` in pyproject.toml")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs").split()
    changed += git("status", "--porcelain", "--untracked-files=all", "--", "src", "stages").split()
    if changed:
        sys.exit(f"error: jobs run a commit, from which {changed[1]} differs: commit it and push, then run again")
    try:
        repository, revision, place = job.origin(), job.head(), job.prefix()
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    # A worker needs the packages of this environment, but no checkout: the code of a job is sent as it is here. It is
    # in a lambda, since Dask asks cloudpickle only for what pickle cannot send.
    for module in (job, tools.git, tools.command):
        cloudpickle.register_pickle_by_value(module)
    run_job = job.run
    with _client(address, workers, min(30.0, patience)) as client:
        futures = {
            client.submit(
                lambda *words, **options: run_job(*words, **options),
                *(name, settings, stages, repository, revision),
                place=place,
                pause=pause,
                # Two sweeps at once that want the same experiment share it.
                key="-".join((name, revision, place, *settings, *stages)),
                resources={RESOURCE: 1},
                retries=1,
            ): name
            for name, settings in experiments.items()
            for stages in [targets[name] if isinstance(targets, Mapping) else targets]
        }
        failed = yield from _results(client, futures, patience, pause)
    if failed:
        ends = "\n".join(f"{name}: {sentence}" for name, sentence in failed.items())
        sys.exit(f"error: {', '.join(failed)} failed\n{ends}")


@contextlib.contextmanager
def _client(address: str, workers: int, timeout: float):
    """Connect to a scheduler, or to a new cluster on this machine that ends with the connection."""
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as stack:
        scheduler = address
        if address == "local":
            options = {"threads_per_worker": 1, "dashboard_address": None}
            scheduler = stack.enter_context(LocalCluster(n_workers=workers, resources={RESOURCE: 1}, **options))
        try:
            client = Client(scheduler, timeout=timeout)
        except (OSError, ValueError) as error:
            sys.exit(f"error: no Dask scheduler answers at {address} ({error}): start one with `dask scheduler`")
        yield stack.enter_context(client)


def _results(client, futures: Mapping, patience: float, pause: float) -> Generator[str, None, dict[str, str]]:
    """Fetch each result as soon as it is there, and yield its name; return {name: why it failed}."""
    from distributed import wait
    from distributed.client import FuturesCancelledError

    ahead, failed, alive = set(futures), {}, time.monotonic()
    with tqdm(total=len(ahead), unit="experiment", disable=None) as bar:
        while ahead:
            with contextlib.suppress(TimeoutError, FuturesCancelledError):
                wait(ahead, timeout=min(5.0, patience / 4), return_when="FIRST_COMPLETED")
            for future in [future for future in ahead if future.done()]:
                ahead.remove(future)
                name = futures[future]
                if future.status == "finished":
                    fault = _fetch(future.result()[0], pause)
                elif future.status == "error":
                    fault = str(future.exception())
                else:
                    fault = "the connection to the scheduler was lost"
                if fault:
                    failed[name] = fault
                else:
                    yield name
                bar.update()
            if _has_workers(client):
                alive = time.monotonic()
            elif ahead and time.monotonic() - alive > patience:
                sys.exit(
                    f"error: no worker that offers {RESOURCE} has been there for {patience:g} s, so"
                    f" {', '.join(sorted(futures[future] for future in ahead))} did not end: start one with"
                    f" `dask worker ADDRESS --nthreads 1 --resources {RESOURCE}=1`, then run again"
                )
    return failed


def _fetch(ref: str, pause: float) -> str:
    """Fetch an experiment from the remote, several times if need be; return why it cannot be, "" if it is here.

    An experiment of this commit by the same name is replaced, as by DVC's queue.
    """
    command, why = ["git", "fetch", "--quiet", "origin", f"+{ref}:{ref}"], ""
    for attempt in range(job.TRIES):
        done = subprocess.run(command, env=variables(), check=False, capture_output=True, text=True)
        if not done.returncode:
            return ""
        why = f"its result cannot be fetched: {done.stderr.strip()}"
        time.sleep(pause * 2**attempt)
    return why


def _has_workers(client) -> bool:
    """Whether a worker that runs trainings is connected to the scheduler."""
    try:
        return any(RESOURCE in worker["resources"] for worker in client.scheduler_info()["workers"].values())
    except OSError:
        return False


def main() -> None:
    """Run stages of the studies on a cluster, one job each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", type=filled, help="of a Dask scheduler; local: worker processes here")
    parser.add_argument("stages", nargs="+", help="such as run@default-2; then: dvc --cd research repro --pull")
    parser.add_argument("--workers", type=positive, default=1, help="if local (default: 1)")
    options = parser.parse_args()
    if not os.path.isdir("research"):
        sys.exit("error: there is no folder research here: run this in the project's folder")
    os.chdir("research")
    stages = {re.sub(r"[^\w-]", "-", stage): [stage] for stage in options.stages}
    for name in run({name: [] for name in stages}, stages, options.address, options.workers):
        print(f"{name} is done", flush=True)


if __name__ == "__main__":
    main()
