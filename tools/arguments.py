"""Values of the tools' options."""

import argparse


def filled(text: str) -> str:
    """A text that is not empty: `--cluster "$ADDRESS"` without such a variable must not count as no option."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty: give it a value, or leave the option out")
    return text


def positive(text: str) -> int:
    """A number of 1 or more: of 0 jobs or workers nothing would ever start."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, but is {text!r}")
    return int(text)
