"""What the commands of tools/ share: the values of their options, and how they end."""

import argparse
import functools
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from dvc.exceptions import DvcException

from oneshot.core.errors import UserError


def command(main: Callable[[], None]) -> Callable[[], None]:
    """Decorate a main(): Ctrl-C ends with status 130, a closed pipe with 141, a failed command with its own.

    A mistake of the user, and what DVC or the system refuses, end with one sentence.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
            sys.stdout.flush()
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            sys.exit(130)
        except BrokenPipeError:
            # What is still in the buffer must not be tried once more when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(141)
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)  # the command has said why
        except (UserError, DvcException, OSError) as error:
            sys.exit(f"error: {' '.join(str(error).split())}")

    return run


def started(*words: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command that reads nothing, and of which the lines of both streams can be read."""
    out, none = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(words, stdin=none, stdout=out, stderr=subprocess.STDOUT, errors="replace", **options)


def filled(text: str) -> str:
    """A text that is not empty: `--scratch "$FOLDER"` without such a variable must not count as no option."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty: give it a value, or leave the option out")
    return text


def positive(text: str) -> int:
    """A number of 1 or more: of 0 jobs or workers nothing would ever start."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, but is {text!r}")
    return int(text)
