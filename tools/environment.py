"""Set up the environment .venv so that `.venv/bin/dvc repro` works without activating it; called by `make env`.

DVC starts the stages as `python stages/...`. This writes a file into site-packages that Python reads at every start. It
puts this environment's `python` first on the PATH, and the src/ of the working directory first on the import path: an
experiment in a temporary folder must import its own copy of src/.
"""

import argparse
import sysconfig
from pathlib import Path

# One line, since Python executes each line of such a file that starts with "import" separately.
_START = (
    "import os, sys; sys.path.insert(0, os.path.abspath('src')); here = os.path.dirname(sys.executable);"
    " path = os.environ.get('PATH', os.defpath);"
    " os.environ['PATH'] = path if path.split(os.pathsep)[0] == here else here + os.pathsep + path\n"
)


def main() -> None:
    """Write the file."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    Path(sysconfig.get_path("purelib"), "oneshot.pth").write_text(_START)


if __name__ == "__main__":
    main()
