"""How a stage runs: ends in one sentence on a user's mistake, and notes on what machine it ran and for how long."""

import errno
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from oneshot.errors import UserError
from oneshot.files import write_json


def run(main: Callable[[], None]) -> None:
    """Run a stage's main() and write provenance/STAGE.json; meant for the end of a stage script.

    A user's mistake (UserError), a full disk or a missing permission ends with one sentence and status 1, Ctrl-C with
    status 130. Any other exception is a defect of the project and keeps its traceback.
    """
    start = time.monotonic()
    try:
        main()
        name = "-".join([Path(sys.argv[0]).stem, *sys.argv[1:]])
        write_json(f"provenance/{name}.json", _machine() | {"minutes": round((time.monotonic() - start) / 60, 2)})
    except UserError as error:
        sys.exit(f"error: {error}")
    except PermissionError as error:
        sys.exit(f"error: no permission to use {error.filename}: change its owner or mode, then run dvc repro again")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            place = f" for {error.filename}" if error.filename else ""
            sys.exit(f"error: no space left on the disk{place}: free some, then run dvc repro again")
        if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EROFS):
            sys.exit(
                f"error: cannot write {error.filename} ({error.strerror}): move what is in the way, then run again"
            )
        raise
    except KeyboardInterrupt:
        print("\ninterrupted: run dvc repro to go on from the last finished epoch", file=sys.stderr)
        sys.exit(130)


def _machine() -> dict:
    """What may change a result's last digits from machine to machine; kept in Git, outside of what DVC hashes."""
    return {
        "processor": _processor(),
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "numpy": version("numpy"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
