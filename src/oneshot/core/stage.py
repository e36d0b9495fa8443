"""How a stage runs: a user's mistake ends it with one sentence; otherwise it records where and for how long it ran."""

import argparse
import errno
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from oneshot.core import environment, params, streams
from oneshot.core.environment import ComputeParams
from oneshot.core.errors import UserError
from oneshot.core.provenance import machine, peak_memory

# For stages that compute no floats.
_ANY = ComputeParams(threads=1, instructions="portable")

T = TypeVar("T", bound=params.Schema)


def run(main: Callable[..., str | None], schema: type[T], **choices: Sequence[str]) -> None:
    """Run a stage's main(params) or main(params, choice), print the line that it returns, write provenance/STAGE.json.

    The process first replaces itself with one that has the environment variables of environment.py.

    schema: the parameters that the stage reads; choices: the name and the allowed values of the command-line argument,
    if the stage has one, such as `net=("10-class", "6-class")`.
    A user's mistake (UserError), a full disk or a missing permission ends with one sentence and status 1, Ctrl-C with
    status 130. Any other exception is a bug in the project and keeps its traceback.
    """
    streams.open_closed()
    parser = argparse.ArgumentParser(description=sys.modules[main.__module__].__doc__)
    for name, values in choices.items():
        parser.add_argument(name, choices=values)
    chosen = list(vars(parser.parse_args()).values())
    start = time.monotonic()
    try:
        loaded = params.load(schema)
        compute = getattr(loaded, "compute", _ANY)
        environment.enter(compute)
        # Only now: NumPy reads the user's settings when it is imported.
        from oneshot.core.files import write_json

        result = main(loaded, *chosen)
        name = "-".join([Path(sys.argv[0]).stem, *chosen])
        minutes = round((time.monotonic() - start) / 60, 2)
        write_json(f"provenance/{name}.json", machine(compute) | {"minutes": minutes, "peak_gib": peak_memory()})
        if result:
            print(result)
    except UserError as error:
        sys.exit(f"error: {error}")
    except PermissionError as error:
        sys.exit(f"error: no permission to use {error.filename}: change its owner or mode, then run dvc repro again")
    except MemoryError:
        sys.exit("error: not enough memory: end other programs, or allow this container more, then run dvc repro again")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
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
