"""Collect the minutes of each stage of the stored run, which the page shows.

The stage `page` cannot read provenance/ itself: minutes differ from run to run, but the page must not.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from oneshot.core.errors import UserError
from oneshot.core.files import read_json, write_csv

PROVENANCE, TABLE = Path("../provenance"), Path("tables/minutes.csv")
COLUMNS = ["stage", "minutes", "processor", "threads", "tensorflow"]


def collect(folder: Path) -> pd.DataFrame:
    """Read a folder of provenance records: one row per stage, in alphabetical order, without the page itself."""
    found = {path.stem: read_json(path) for path in sorted(folder.glob("*.json")) if path.stem != "page"}
    rows = [{"stage": name, "tensorflow": record["packages"]["tensorflow"]} | record for name, record in found.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def main() -> None:
    """Write the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        write_csv(TABLE, collect(PROVENANCE))
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
