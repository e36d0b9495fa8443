"""Note how long each stage of the stored run took, from provenance/, in docs/minutes.csv, which the page shows.

The stage `report` cannot read provenance/ itself: minutes differ from run to run, and its page must not.
"""

from pathlib import Path

import pandas as pd

from oneshot.files import read_json, write_csv

PROVENANCE, TABLE = Path("provenance"), Path("docs/minutes.csv")
COLUMNS = ["stage", "minutes", "processor", "threads", "tensorflow"]


def collect(folder: Path) -> pd.DataFrame:
    """Read a folder of notes that the stages left: a row a stage, in the order of their names."""
    notes = {path.stem: read_json(path) for path in sorted(folder.glob("*.json")) if path.stem != "report"}
    return pd.DataFrame([{"stage": name} | note for name, note in notes.items()], columns=COLUMNS)


def main() -> None:
    """Write the table."""
    table = collect(PROVENANCE)
    write_csv(TABLE, table)
    print(f"minutes: {len(table)} stages, {table['minutes'].sum():.0f} minutes in all, in {TABLE}")


if __name__ == "__main__":
    main()
