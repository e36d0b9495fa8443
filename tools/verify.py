"""Run the small pipeline twice, each from nothing in a scratch copy of its own, and compare all hashes in dvc.lock."""

import subprocess
import sys
import tempfile
from pathlib import Path

from dvc.utils.serialize import load_yaml

from tools import smoke


def hashes(folder: str | Path) -> dict[str, str]:
    """Read the MD5 of every output in a project's dvc.lock, by path."""
    stages = load_yaml(str(Path(folder) / "dvc.lock"))["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}


def differing(first: str | Path, second: str | Path) -> list[str]:
    """List the outputs that two projects do not have in common, or not with the same bytes."""
    one, other = hashes(first), hashes(second)
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def main() -> None:
    """Say which outputs differ and end with status 1, or say that none does."""
    with tempfile.TemporaryDirectory(prefix="oneshot-verify-") as scratch:
        try:
            first, second = (smoke.run(Path(scratch) / name) for name in ("first", "second"))
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)
        for path in differing(first, second):
            print(f"verify: {path} differs between two runs of the same code, parameters and data", file=sys.stderr)
        if differing(first, second):
            sys.exit(1)
        print(f"verify: all {len(hashes(first))} outputs have the same hash in both runs")


if __name__ == "__main__":
    main()
