"""Train siamese nets with several margins, through DVC's queue or on a cluster; write sweep.csv and a picture."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from oneshot.core.files import write_bytes, write_csv
from oneshot.nets.table import SIAMESE
from oneshot.plotting.figures import png
from tools.experiments import add_options, run, stored

MARGINS = (0.25, 0.5, 1.0, 2.0)
TABLE, PICTURE = Path("research/tables/sweep.csv"), Path("research/tables/sweep.png")
# Column of the table: its title in the picture.
DRAWN = {"unseen_5way_1shot": "unseen digits, 5-way 1-shot accuracy", "unseen_auc": "unseen digits, AUC of pairs"}


def main() -> None:
    """Run the experiments, collect their metrics, and write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    names = {margin: f"margin-{margin:g}".replace(".", "-") for margin in MARGINS}
    experiments = {name: [f"margin={margin}"] for margin, name in names.items()}
    try:
        for _ in run(experiments, ["one_shot_mnist"], options):
            pass  # the table needs all of them
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: run make sweep again")
    table = pd.DataFrame([row(names[margin], margin, net) for net in SIAMESE for margin in MARGINS])
    write_csv(TABLE, table)
    write_bytes(PICTURE, draw(table))
    print(table.to_string(index=False))


def row(name: str, margin: float, net: str) -> dict[str, float | str]:
    """Collect the metrics of one net of an experiment."""
    pairs = stored(name, f"metrics/train_siamese/{net}.json")
    one_shot = stored(name, f"metrics/one_shot_mnist/{net}.json")
    return {
        "margin": margin,
        "net": net,
        "unseen_auc": pairs["unseen"]["test"]["auc"],
        "unseen_5way_1shot": one_shot["unseen"]["shot_1"]["accuracy"],
        "seen_auc": pairs["seen"]["test"]["auc"],
    }


def draw(table: pd.DataFrame) -> bytes:
    """Draw one panel per metric, with one line per net over the margin; return a PNG."""
    chart = Figure(figsize=(11, 4.2), dpi=120, layout="constrained")
    for ax, (column, title) in zip(chart.subplots(1, len(DRAWN)), DRAWN.items(), strict=True):
        for (net, part), marker, colour in zip(table.groupby("net"), "os", ("#0072B2", "#D55E00"), strict=True):
            ax.plot(part["margin"], part[column], marker=marker, color=colour, label=net)
        ax.set_xscale("log", base=2)
        ax.set_xticks(MARGINS, [f"{margin:g}" for margin in MARGINS])
        ax.set_xlabel("margin", fontsize=13)
        ax.set_ylabel(title, fontsize=13)
        ax.tick_params(labelsize=12)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=12)
    return png(chart)


if __name__ == "__main__":
    main()
