"""Run experiments on a Dask cluster: each is a job (tools/job.py) on a worker, and its result is fetched from Git."""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

import tools.command
import tools.git
from tools import job
from tools.command import command, filled
from tools.git import git

# A worker runs as many trainings at once as it offers of this: `dask worker ... --resources training=1`.
RESOURCE = "training"
# Seconds without a worker that offers it after which nobody waits any longer: a cluster may take minutes to start one.
PATIENCE = 300.0


def run(
    experiments: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    address: str,
    *,
    first: Sequence[str] = (),
    patience: float = PATIENCE,
    pause: float = job.PAUSE,
) -> Iterator[str]:
    """Run experiments of the current commit on a cluster; yield each name when its result is in this repository.

    An experiment of this commit by the same name is replaced, as by DVC's queue.
    experiments: {name: (values to set, such as margin=2; stages to reproduce, none means all)}; address: of the
    scheduler; first, pause: see job.run. Exits with one sentence if the workspace differs from its commit, if no
    scheduler answers, or, after all others have ended, if an experiment failed or had no worker for `patience` seconds.
    """
    try:
        import cloudpickle
        from distributed import Client, as_completed
        from distributed.scheduler import NoValidWorkerError, NoWorkerError
    except ImportError:
        sys.exit("error: a cluster needs Dask: install the packages of the extra `cluster` in pyproject.toml")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude,glob)**/docs/**").split()
    # In research/, these folders are links.
    code = [os.path.realpath(name) for name in ("src", "stages")]
    changed += git("status", "--porcelain", "--untracked-files=all", "--", *code).split()
    if changed:
        sys.exit(f"error: jobs run a commit, from which {changed[1]} differs: commit it and push, then run again")
    repository, revision, place = job.origin(), job.head(), job.prefix()
    # A worker needs the packages of this environment, but no checkout: the code of a job is sent as it is here. It is
    # in a lambda, since Dask asks cloudpickle only for what pickle cannot send.
    for module in (job, tools.command, tools.git):
        cloudpickle.register_pickle_by_value(module)
    run_job, shell, failed = job.run, job.Shell(Path.cwd(), pause=pause), {}
    try:
        client = Client(address, timeout=min(30.0, patience))
    except (OSError, ValueError) as error:
        sys.exit(f"error: no Dask scheduler answers at {address} ({error}): start one with `dask scheduler`")
    with client:
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "no_workers_timeout", patience))
        futures = {
            client.submit(
                lambda *words, **options: run_job(*words, **options),
                *(name, settings, stages, repository, revision),
                place=place,
                first=first,
                pause=pause,
                # Two sweeps at once that want the same experiment share it.
                key="-".join((name, revision, place, *settings, *stages)),
                resources={RESOURCE: 1},
                retries=1,
            ): name
            for name, (settings, stages) in experiments.items()
        }
        for future in tqdm(as_completed(futures), total=len(futures), unit="experiment", disable=None):
            name = futures[future]
            try:
                ref, _ = future.result()
                shell.patiently(f"fetch {name}", "git", "fetch", "--quiet", "origin", f"+{ref}:{ref}")
            except (NoValidWorkerError, NoWorkerError):
                start = f"`dask worker {address} --nthreads 1 --resources {RESOURCE}=1`"
                failed[name] = (
                    f"no worker offered {RESOURCE} for {patience:g} s: start one with {start}, then run again"
                )
            except Exception as error:  # of the job, of its worker or of the connection to the scheduler
                failed[name] = str(error)
            else:
                yield name
    if failed:
        ends = "\n".join(f"{name}: {sentence}" for name, sentence in failed.items())
        sys.exit(f"error: {', '.join(failed)} failed\n{ends}")


@command
def main() -> None:
    """Run stages of the studies on a cluster, one job each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", type=filled, help="of a Dask scheduler")
    about = "such as run@default-2; then: dvc --cd research repro --pull"
    parser.add_argument("stages", type=filled, nargs="+", help=about)
    options = parser.parse_args()
    if not os.path.isdir("research"):
        sys.exit("error: there is no folder research here: run this in the project's folder")
    os.chdir("research")
    experiments = {re.sub(r"[^\w-]", "-", stage): ([], [stage]) for stage in options.stages}
    for name in run(experiments, options.address, first=["split"]):
        print(f"{name} is done", flush=True)


if __name__ == "__main__":
    main()
