"""Collect the metrics of runs that pipeline.py made, one folder each.

python runs.py seeds RUNS             with several seeds: tables/seeds.csv, a column per metric of docs/results.md
python runs.py seeds_thorough RUNS    the same of the thorough recipe
python runs.py sweep RUNS             with several margins: tables/sweep.csv, what siamese nets reach
"""

from pathlib import Path

import pandas as pd
import study

from oneshot.core import keys
from oneshot.core.files import read_json
from oneshot.nets.table import SIAMESE
from oneshot.page.metrics import METRICS


def of_seed(run: dict) -> dict[str, float]:
    """Make the row of one run; metrics that it lacks, as one_shot in params.yaml leaves them out, are left out."""
    found = {"seed": run["seed"]}
    for name, metric in METRICS.items():
        try:
            found[name] = keys.get(run["metrics"][metric.file], metric.key)
        except KeyError:
            continue
    return found


def of_margin(run: dict) -> list[dict]:
    """Make a row per siamese net of one run; accuracy with the fewest examples of each digit that were asked for."""
    found = []
    for net in SIAMESE:
        pairs, one_shot = run["metrics"][f"train_siamese/{net}"], run["metrics"][f"one_shot_mnist/{net}"]["unseen"]
        shots = min(int(key.removeprefix("shot_")) for key in one_shot)
        areas = {f"{group}_auc": pairs[group]["test"]["auc"] for group in ("unseen", "seen")}
        accuracy = {"unseen_accuracy": one_shot[f"shot_{shots}"]["accuracy"]}
        found.append({"margin": run["margin"], "net": net, "shots": shots} | areas | accuracy)
    return found


def collect(table: str, *folders: Path) -> None:
    """Write a table of runs."""
    runs = [read_json(folder / "metrics.json") for folder in folders]
    if table == "sweep":
        rows = pd.DataFrame([row for run in runs for row in of_margin(run)]).sort_values(["net", "margin"])
    else:
        rows = pd.DataFrame(map(of_seed, runs)).sort_values("seed")
    study.write_table(table, rows)


if __name__ == "__main__":
    study.main(__doc__, collect)
