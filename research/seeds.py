"""Collect the metrics of runs with several seeds: one row per seed, one column per metric of docs/results.md."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from oneshot.core import keys
from oneshot.core.errors import UserError
from oneshot.core.files import read_json, write_csv

sys.path.append(str(Path(__file__).resolve().parents[1]))
from tools.results import ROWS


def row(run: dict) -> dict[str, float]:
    """Make the row of one run; metrics that it lacks, as one_shot in params.yaml leaves them out, are left out."""
    found = {"seed": run["seed"]}
    for file, key, name, _ in ROWS.values():
        try:
            found[name] = keys.get(run["metrics"][file], key)
        except KeyError:
            continue
    return found


def main() -> None:
    """Write the table of a recipe's runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", help="folders that pipeline.py made")
    options = parser.parse_args()
    try:
        rows = [row(read_json(folder / "metrics.json")) for folder in options.runs]
    except UserError as error:
        sys.exit(f"error: {error}")
    write_csv(options.table, pd.DataFrame(rows).sort_values("seed"))


if __name__ == "__main__":
    main()
