"""Why a source cannot provide the data, and retries if the fault may be temporary."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from oneshot.core.errors import UserError

PAUSES = (1.0, 3.0)  # seconds before each retry after a temporary fault

P = ParamSpec("P")
T = TypeVar("T")


class Failure(Exception):
    """The reason why a source cannot provide the data, in a few words; passing: whether a retry may succeed."""

    def __init__(self, reason: str, passing: bool = False):
        super().__init__(reason)
        self.passing = passing


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a UserError about the content of a file into a Failure that names the file."""
    try:
        yield
    except UserError as error:
        raise Failure(f"{path.name}: {error}") from None


def retry(action: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
    """Do something, and retry after each of PAUSES if the fault is temporary; raises the last Failure."""
    for pause in PAUSES:
        try:
            return action(*arguments, **keywords)
        except Failure as failure:
            if not failure.passing:
                raise
            print(f"{failure}: trying again in {pause:g} s", flush=True)
            time.sleep(pause)
    return action(*arguments, **keywords)
