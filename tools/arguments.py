"""Values of the tools' options."""

import argparse


def filled(text: str) -> str:
    """A text that is not empty: `--cluster "$ADDRESS"` without such a variable must not count as no option."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty: give it a value, or leave the option out")
    return text
