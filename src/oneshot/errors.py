"""The one kind of error that is the user's to mend, and how a stage ends with it."""

import errno
import sys
from collections.abc import Callable


class UserError(Exception):
    """A sentence that names what was wrong, where, and what to do; shown without a traceback."""


def run(main: Callable[[], None]) -> None:
    """Run a stage's main(); end with one sentence and a non-zero status where the user can mend what went wrong.

    A user's mistake (UserError), a full disk or a missing permission ends with status 1, Ctrl-C with 130.
    Any other exception is a defect of the project and keeps its traceback.
    """
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except PermissionError as error:
        sys.exit(f"error: no permission to use {error.filename}: change its owner or its mode, then run dvc repro again")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        place = f" for {error.filename}" if error.filename else ""
        sys.exit(f"error: no space left on the disk{place}: free some, then run dvc repro again")
    except KeyboardInterrupt:
        print("interrupted: run dvc repro again to go on from the last finished epoch", file=sys.stderr)
        sys.exit(130)
