"""Run every stage on a small part of the real data, in a scratch copy that does not touch the project's results."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dvc.utils.serialize import load_yaml, modify_yaml

from oneshot.core.keys import put
from tools.command import filled

ROOT = Path(__file__).resolve().parents[1]
# Git reads only a repository's own settings, and no variable leads it to another one.
PLAIN_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
# The project may belong to another user, of whom git then suspects programs in its settings.
TRUST = ("-c", "safe.directory=*", "-c", "core.fsmonitor=false")
RESULTS = ("dvc.lock", "exports/", "metrics/", "plots/", "provenance/")
OVERRIDES = load_yaml(str(ROOT / "tools/smoke.yaml"))


def copy(folder: str | Path) -> Path:
    """Copy the project, including uncommitted edits, into a new Git repository in `folder`; return its path.

    Ignored files and results are not copied: a scratch copy makes its own. Its cache is its own too: from a cache that
    the user shares between projects, DVC would take results instead of running stages.
    """
    folder = Path(folder)
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        path = ROOT / name
        if (path.is_symlink() or path.is_file()) and not name.startswith(RESULTS):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, folder / name, follow_symlinks=False)
    (folder / ".dvc/config.local").write_text("[cache]\n    dir = cache\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    identify(folder)
    commit(folder, "a copy")
    return folder


def identify(folder: str | Path) -> None:
    """Give a copy or a clone a Git identity of its own, without which neither Git commits nor DVC runs experiments."""
    git(folder, "config", "user.name", "scratch")
    git(folder, "config", "user.email", "scratch@localhost")


def shrink(folder: str | Path, overrides: Mapping[str, object] = OVERRIDES) -> None:
    """Set leaves of the copy's params.yaml by dotted name; raises KeyError if a group or leaf does not exist."""
    with modify_yaml(str(Path(folder) / "params.yaml")) as tree:
        for key, value in overrides.items():
            put(tree, key, value)


def commit(folder: str | Path, message: str) -> None:
    """Commit everything in the copy that Git does not ignore."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: str | Path, *words: str) -> str:
    """Run git without the user's settings (signed commits, hooks, ignored files); return its output."""
    options = {"check": True, "stdout": subprocess.PIPE, "text": True}
    return subprocess.run(["git", *TRUST, *words], cwd=folder, env=_plain(), **options).stdout


def environment(folder: str | Path) -> dict[str, str]:
    """Return the environment variables for a copy: this Python first on the path, its own library, git's defaults."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**_plain(), "PATH": path, "PYTHONPATH": str(Path(folder).resolve() / "src")}


def _plain() -> dict[str, str]:
    """The caller's variables, without those that are about another repository of Git or DVC."""
    theirs = ("GIT_", "DVC_", "PYTHONSAFEPATH", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)} | PLAIN_GIT


def dvc(folder: str | Path, *words: str, **options) -> subprocess.CompletedProcess:
    """Run dvc in a copy; raises CalledProcessError if it fails, unless the options have check=False."""
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, **{"cwd": folder, "env": environment(folder), "check": True, **options})


def run(
    folder: str | Path, variables: Mapping[str, str] | None = None, *, by: Sequence[str] = ("dvc", "repro")
) -> Path:
    """Copy, shrink and reproduce the pipeline in `folder`, and commit the results there; return its path.

    variables: additional environment variables of the run; by: the Python module that reproduces it, and its words.
    """
    folder = copy(folder)
    shrink(folder)
    commit(folder, "small")
    variables = environment(folder) | dict(variables or {})
    subprocess.run([sys.executable, "-m", *by], cwd=folder, env=variables, check=True)
    require_run(folder)
    commit(folder, "results")
    return folder


def require_run(folder: str | Path) -> None:
    """Exit with one sentence if a stage of a copy did not run there, but was taken from a cache."""
    stages = load_yaml(str(Path(folder) / "dvc.lock"))["stages"]
    # Each stage writes one record when it ends, which no cache has.
    records = {path.stem for path in (Path(folder) / "provenance").glob("*.json")}
    if taken := [name for name, stage in stages.items() if record_of(stage["cmd"]) not in records]:
        sys.exit(
            f"error: {', '.join(taken)} did not run in the copy: the results are from elsewhere, and comparing them"
            " would show nothing; look for a cache in `dvc config --list --show-origin`"
        )


def record_of(command: str) -> str:
    """Name the record in provenance/ of a stage's command: "python stages/split.py mnist" -> "split-mnist"."""
    words = command.split()[1:]
    return "-".join([Path(word).stem if word.endswith(".py") else word for word in words])


def main() -> None:
    """Run the small pipeline; print what it reached, where that is, and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--keep", type=filled, metavar="FOLDER", help="a new folder for the copy; by default .smoke, which is replaced"
    )
    keep = parser.parse_args().keep
    if keep and Path(keep).exists() and (not Path(keep).is_dir() or any(Path(keep).iterdir())):
        sys.exit(f"error: {keep} is there already: name a new folder")
    folder = Path(keep) if keep else ROOT / ".smoke"
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    start = time.monotonic()
    try:
        run(folder, by=("tools.repro",))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    print(
        f"smoke: every stage ran, in {time.monotonic() - start:.0f} s. A small part of the real data shows that all"
        " works, not what it can reach."
    )


if __name__ == "__main__":
    main()
