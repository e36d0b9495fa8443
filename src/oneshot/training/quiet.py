"""Hiding what a library prints while it starts, unless it fails."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(wanted: bool) -> Iterator[None]:
    """Hide what the block writes to standard error; show it if the block or the whole process fails.

    wanted: if False, hide nothing. A library that cannot run on this processor ends the process without an exception,
    so no code here would run: a forked process waits for that and shows the text. Without fork (outside Linux and
    macOS), nothing is hidden.
    """
    if not wanted or not hasattr(os, "fork"):
        yield
        return
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        alive, finished = os.pipe()
        witness = os.fork()
        if witness == 0:
            _wait_and_show(alive, finished, hidden.fileno(), shown)
        os.close(alive)
        os.dup2(hidden.fileno(), 2)
        try:
            yield
            os.write(finished, b"well")
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
            os.close(finished)
            os.waitpid(witness, 0)


def _wait_and_show(alive: int, finished: int, hidden: int, shown: int) -> None:
    """In the forked process: wait until the parent closes the pipe; if it wrote nothing to it, show the text."""
    os.close(finished)
    try:
        if not os.read(alive, 4):
            with os.fdopen(hidden, "rb", closefd=False) as text, os.fdopen(shown, "wb", closefd=False) as error:
                text.seek(0)
                shutil.copyfileobj(text, error)
    finally:
        os._exit(0)
