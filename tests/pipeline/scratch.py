"""Helpers for scratch copies: duplicate them, run dvc in them, and list the stages that ran."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import compare_runs, smoke


def duplicate(source: Path, target: Path) -> Path:
    """Copy a project, with hard links for big files, which DVC and the stages replace but never change in place."""

    def copy(name: str, place: str) -> None:
        # Git and DVC write the files in plots/ in place: a link would change the original.
        linked = os.path.getsize(name) > 1_000_000 and f"{os.sep}plots{os.sep}" not in name
        (os.link if linked else shutil.copy2)(name, place)

    return shutil.copytree(source, target, copy_function=copy, symlinks=True)


def attempt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run dvc in a copy, whether it fails or not."""
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=folder, env=smoke.environment(folder), capture_output=True, text=True)


def dvc(folder: Path, *words: str) -> str:
    """Run dvc in a copy; return all that it printed."""
    done = attempt(folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def ran(output: str) -> list[str]:
    """The stages that a `dvc repro` or `dvc exp run` computed, by name."""
    return sorted(line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '"))


def hashes(folder: Path) -> dict[str, str]:
    """The MD5 of every output that a copy's dvc.lock records, by path."""
    return compare_runs.hashes(compare_runs.read_lock(folder))
