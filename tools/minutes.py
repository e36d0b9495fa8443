"""Write how long each stage of the stored run took, from provenance/, to docs/minutes.csv, which the page shows.

The stage `page` cannot read provenance/ itself: minutes differ from run to run, and its page must not.
"""

import argparse
from pathlib import Path

import pandas as pd

from oneshot.core.files import read_json, write_csv

PROVENANCE, TABLE = Path("provenance"), Path("docs/minutes.csv")
COLUMNS = ["stage", "minutes", "processor", "threads", "tensorflow"]


def collect(folder: Path) -> pd.DataFrame:
    """Read a folder of provenance files: a row per stage, in the order of their names, without the page itself."""
    notes = {path.stem: read_json(path) for path in sorted(folder.glob("*.json")) if path.stem != "page"}
    rows = [{"stage": name, "tensorflow": note["packages"]["tensorflow"]} | note for name, note in notes.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def main() -> None:
    """Write the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    table = collect(PROVENANCE)
    write_csv(TABLE, table)
    print(f"minutes: {len(table)} stages, {table['minutes'].sum():.0f} minutes in all, in {TABLE}")


if __name__ == "__main__":
    main()
