"""The metrics of docs/results.md over trainings with several seeds, by the default and by the thorough recipe.

python seeds.py TRAINING NET    the 6-class net of one, such as default-2, and what uses it, or its 10-class net
python seeds.py                 tables/seeds.csv and tables/seeds_thorough.csv of all
"""

import pandas as pd
import pipeline
import study

from oneshot.core import keys
from oneshot.core.files import write_bytes
from oneshot.page.metrics import METRICS

TARGETS = {"6-class": ("one_shot_cifar10", "one_shot_mnist"), "10-class": ("train_convnet@10-class",)}


def row(metrics: dict[str, dict]) -> dict[str, float]:
    """The METRICS that were measured; metrics: by path below metrics/ without .json."""
    found = {}
    for name, metric in METRICS.items():
        try:
            found[name] = keys.get(metrics.get(metric.file, {}), metric.key)
        except KeyError:
            continue
    return found


def one(training: str, net: str) -> None:
    """Train one net, or what follows from it; of the 6-class net, keep the features in runs/TRAINING."""
    recipe, _, seed = training.rpartition("-")
    targets = study.chosen("net", net, TARGETS)
    with pipeline.run(recipe, f"seed={seed}", *targets) as (folder, metrics):
        for path in (folder / "features").glob("6-class/*"):
            write_bytes(f"runs/{training}/{path.name}", path.read_bytes())
        found = pd.DataFrame([{"recipe": recipe, "seed": int(seed)} | row(metrics)])
        study.write_part("seeds", f"{training}-{net}", found)


def collect() -> None:
    """Write a row per training of each recipe."""
    trainings = study.parts("seeds").groupby(["recipe", "seed"]).first()
    order = [name for name in METRICS if name in trainings]
    for recipe, table in {"default": "seeds", "thorough": "seeds_thorough"}.items():
        study.write_table(table, trainings.loc[recipe, order].reset_index())


if __name__ == "__main__":
    study.main(__doc__, one, collect)
