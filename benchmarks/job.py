"""Measure what a job (tools/job.py) costs over a plain `dvc exp run`, on a project whose only stage does nothing.

So the difference is what a job adds: the clone, the push of results, run cache and experiment, and looking whether it
is there already. Git and DVC remote are folders: over a network, add the time that the bytes take.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools import job, smoke

PIPELINE = """
stages:
  copy:
    cmd: cp params.yaml copied
    deps: [params.yaml]
    params: [seed]
    outs: [copied]
"""


def project(above: Path) -> Path:
    """Make a project in a folder that has run once, with both remotes beside it."""
    folder = above / "project"
    folder.mkdir()
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("seed: 1\n")
    smoke.git(folder, "init", "--quiet", "--initial-branch=main")
    smoke.identify(folder)
    for words in (["init"], ["remote", "add", "--default", "shared", str(above / "remote")], ["repro"]):
        dvc(folder, *words)
    smoke.commit(folder, "a run")
    smoke.git(above, "init", "--quiet", "--bare", "origin.git")
    smoke.git(folder, "remote", "add", "origin", str(above / "origin.git"))
    smoke.git(folder, "push", "--quiet", "origin", "main")
    return folder


def dvc(folder: Path, *words: str) -> None:
    """Run dvc in a project; it prints only what fails."""
    command = [sys.executable, "-m", "dvc", *words, "--quiet"]
    subprocess.run(command, cwd=folder, env=smoke.environment(folder), check=True, stdout=subprocess.DEVNULL)


def cost(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processors, of the commands that a call runs."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the seconds of both, and of a job whose experiment is at the remote already."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="oneshot-bench-") as scratch:
        folder = project(Path(scratch))
        rest = ([], job.origin(folder), job.head(folder), scratch)
        calls = {
            "dvc exp run": lambda: dvc(folder, "exp", "run", "-S", "seed=2"),
            "a job": lambda: job.run("three", ["seed=3"], *rest),
            "a job that is done already": lambda: job.run("three", ["seed=3"], *rest),
        }
        for name, call in calls.items():
            clock, processor = cost(call)
            print(f"{name:28}{clock:8.1f} s on the clock{processor:8.1f} s of processors", flush=True)


if __name__ == "__main__":
    main()
