"""Progress bars."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress(items: Iterable, **options) -> tqdm:
    """Show a progress bar: updated often on a terminal, twice a minute in a log file."""
    return tqdm(items, leave=False, mininterval=0.5 if sys.stderr.isatty() else 30.0, **options)
