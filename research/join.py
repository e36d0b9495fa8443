"""Join the tables of a study's parts, in the order given, into one."""

import argparse
from pathlib import Path

import pandas as pd

from oneshot.core.files import write_csv


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("parts", type=Path, nargs="+")
    options = parser.parse_args()
    write_csv(options.table, pd.concat([pd.read_csv(path) for path in options.parts]))


if __name__ == "__main__":
    main()
