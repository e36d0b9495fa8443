"""Collect what siamese nets reach with several margins, and draw it."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from oneshot.core.errors import UserError
from oneshot.core.files import read_json, write_bytes, write_csv
from oneshot.nets.table import SIAMESE
from oneshot.plotting.figures import png

TABLE = Path("tables/sweep.csv")
# Column of the table: its title in the picture.
DRAWN = {
    "unseen_accuracy": "unseen digits, accuracy from the fewest examples",
    "unseen_auc": "unseen digits, AUC of pairs",
}


def rows(run: dict) -> list[dict]:
    """Make a row per siamese net of one run; accuracy with the fewest examples of each digit that were asked for."""
    found = []
    for net in SIAMESE:
        pairs, one_shot = run["metrics"][f"train_siamese/{net}"], run["metrics"][f"one_shot_mnist/{net}"]["unseen"]
        shots = min(int(key.removeprefix("shot_")) for key in one_shot)
        found.append(
            {
                "margin": run["margin"],
                "net": net,
                "shots": shots,
                "unseen_auc": pairs["unseen"]["test"]["auc"],
                "unseen_accuracy": one_shot[f"shot_{shots}"]["accuracy"],
                "seen_auc": pairs["seen"]["test"]["auc"],
            }
        )
    return found


def draw(table: pd.DataFrame) -> bytes:
    """Draw one panel per metric, with one line per net over the margin; return a PNG."""
    chart = Figure(figsize=(11, 4.2), dpi=120, layout="constrained")
    margins = sorted(table["margin"].unique())
    for ax, (column, title) in zip(chart.subplots(1, len(DRAWN)), DRAWN.items(), strict=True):
        for (net, part), marker, colour in zip(table.groupby("net"), "os", ("#0072B2", "#D55E00"), strict=True):
            ax.plot(part["margin"], part[column], marker=marker, color=colour, label=net)
        ax.set_xscale("log", base=2)
        ax.set_xticks(margins, [f"{margin:g}" for margin in margins])
        ax.set_xlabel("margin", fontsize=13)
        ax.set_ylabel(title, fontsize=13)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=12)
    return png(chart)


def main() -> None:
    """Write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders that pipeline.py made")
    try:
        found = [row for folder in parser.parse_args().runs for row in rows(read_json(folder / "metrics.json"))]
    except UserError as error:
        sys.exit(f"error: {error}")
    table = pd.DataFrame(found).sort_values(["net", "margin"])
    write_csv(TABLE, table)
    write_bytes(TABLE.with_suffix(".png"), draw(table))


if __name__ == "__main__":
    main()
