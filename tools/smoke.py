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

from oneshot.core import params
from oneshot.core.keys import put
from tools.command import command, filled
from tools.git import git as run_git

ROOT = Path(__file__).resolve().parents[1]
# Git reads only a repository's own settings, and no variable leads it to another one.
PLAIN_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
# The project may belong to another user, of whom git then suspects programs in its settings.
TRUST = ("-c", "safe.directory=*", "-c", "core.fsmonitor=false")
RESULTS = ("dvc.lock", "exports/", "metrics/", "plots/", "provenance/")
OVERRIDES = load_yaml(str(ROOT / "tools/smoke.yaml"))


def copy(folder: str | Path) -> Path:
    """Copy the project, including uncommitted edits, into a new Git repository in `folder`; return its path.

    Results and ignored files are not copied. Its cache is its own: from a cache that the user shares between projects,
    DVC would take results instead of running stages.
    """
    folder = Path(folder)
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
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
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def git(folder: str | Path, *words: str) -> str:
    """Run git without the user's settings (signed commits, hooks, ignored files); return its output."""
    return run_git(*words, folder=folder, options=TRUST, env=environment(folder))


def environment(folder: str | Path) -> dict[str, str]:
    """Return the environment variables for a copy: this Python first on the path, its own library, git's defaults."""
    # Those that are about another repository of Git or DVC are left out.
    theirs = ("GIT_", "DVC_", "PYTHONSAFEPATH", "PYTHONHOME")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, **PLAIN_GIT, "PATH": path, "PYTHONPATH": str(Path(folder).resolve() / "src")}


def run(
    folder: str | Path,
    variables: Mapping[str, str] | None = None,
    *,
    by: Sequence[str] = ("dvc", "repro"),
    overrides: Mapping[str, object] = OVERRIDES,
) -> Path:
    """Copy the pipeline to `folder`, shrink and reproduce it, and commit the results there; return its path.

    variables: additional environment variables of the run; by: the Python module that reproduces it, and its words;
    overrides: {} for the whole pipeline.
    """
    folder = copy(folder)
    shrink(folder, overrides)
    commit(folder, "parameters")
    subprocess.run([sys.executable, "-m", *by], cwd=folder, env=environment(folder) | dict(variables or {}), check=True)
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
    return "-".join(word.removeprefix("stages/").removesuffix(".py") for word in command.split()[1:])


@command
def main() -> None:
    """Run the small pipeline; print what it reached, and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=filled, metavar="FOLDER", help="a new folder (default: .smoke, replaced)")
    keep = parser.parse_args().keep
    folder = Path(keep or ROOT / ".smoke")
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        sys.exit(f"error: {keep} is there already: name a new folder")
    params.check(params.read(ROOT), params.stage_schemas(ROOT))
    start = time.monotonic()
    run(folder, by=("tools.repro",))
    print(
        f"smoke: every stage ran, in {time.monotonic() - start:.0f} s. A small part of the real data shows that all"
        " works, not what it can reach."
    )


if __name__ == "__main__":
    main()
