"""Run experiments through DVC's queue, and read what they stored in Git."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_queue(experiments: Mapping[str, Sequence[str]], targets: Sequence[str], jobs: int) -> None:
    """Queue experiments, run them, and wait for all; end the program with dvc's status where it fails.

    experiments: by name, the values to set, such as margin=2; targets: the stages to reproduce, and what they
    depend on; jobs: at once.
    """
    for name, values in experiments.items():
        settings = [word for value in values for word in ("-S", value)]
        # Not exp run --force, which would overwrite the name, but also compute anew what did not change.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([sys.executable, "-m", "dvc", "exp", "remove", name], check=False, **quiet)
        _run(sys.executable, "-m", "dvc", "exp", "run", "--queue", "--name", name, *settings, *targets)
    _run(sys.executable, "-m", "dvc", "queue", "start", "--jobs", str(jobs))
    wait(list(experiments))


def wait(names: Sequence[str], folder: str | Path = ".") -> None:
    """Wait until the queue of the project in folder has ended these experiments, and print how each one did."""
    ahead = list(names)
    while ahead:
        table = _run(sys.executable, "-m", "dvc", "queue", "status", cwd=folder, stdout=subprocess.PIPE).stdout
        rows = [line.split() for line in table.splitlines()]
        ended = {row[1]: row[-1] for row in rows if row and row[-1] in ("Success", "Failed")}
        for name in [name for name in ahead if name in ended]:
            print(f"{name}: {ended[name]}", flush=True)
            ahead.remove(name)
        time.sleep(5 if ahead else 0)


def stored(name: str, path: str) -> dict:
    """Read a JSON file as an experiment stored it; end the program in a sentence where the experiment has failed."""
    listed = _run("git", "for-each-ref", "refs/exps", "--format=%(refname)", stdout=subprocess.PIPE).stdout
    found = [ref for ref in listed.split() if ref.endswith(f"/{name}")]
    if not found:
        sys.exit(f"error: the experiment {name} has no result: `dvc queue status` and `dvc queue logs {name}` say why")
    return json.loads(_run("git", "show", f"{found[-1]}:{path}", stdout=subprocess.PIPE).stdout)


def _run(*command: str, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(command, text=True, **options)
    if done.returncode:
        sys.exit(done.returncode)
    return done
