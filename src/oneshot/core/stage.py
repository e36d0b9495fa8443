"""How a stage runs: it ends in one sentence on a user's mistake, and records where it ran and for how long."""

import argparse
import errno
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.core.files import write_json

T = TypeVar("T", bound=params.Schema)


def run(main: Callable[..., None], schema: type[T], **choices: Sequence[str]) -> None:
    """Run a stage's main(params) or main(params, choice) and write provenance/STAGE.json; the end of a stage script.

    schema: of the parameters that the stage reads; choices: name and allowed values of the argument that the command
    line has to give, if the stage has one: `net=("10-class", "6-class")`.
    A user's mistake (UserError), a full disk or a missing permission ends with one sentence and status 1, Ctrl-C with
    status 130. Any other exception is a defect of the project and keeps its traceback.
    """
    parser = argparse.ArgumentParser(description=sys.modules[main.__module__].__doc__)
    for name, values in choices.items():
        parser.add_argument(name, choices=values)
    chosen = list(vars(parser.parse_args()).values())
    start = time.monotonic()
    try:
        main(params.load(schema), *chosen)
        name = "-".join([Path(sys.argv[0]).stem, *chosen])
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
        print("\ninterrupted: run dvc repro to resume after the last finished epoch", file=sys.stderr)
        sys.exit(130)


def _machine() -> dict:
    """What may change a result's last digits from machine to machine; kept in Git, but not hashed by DVC."""
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
