"""Run the pipeline with more seeds through DVC's queue; write the mean and spread of each metric to docs/seeds.csv."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from oneshot.core.files import read_json, write_csv
from oneshot.core.params import read
from tools.experiments import run_queue, stored

TABLE = Path("docs/seeds.csv")
CONVNET, UNSEEN, PAIRS, DENSE, DIGITS = (
    "metrics/train_convnet/{}.json",
    "metrics/one_shot_cifar10.json",
    "metrics/train_siamese/{}.json",
    "metrics/train_dense_embedding/{}.json",
    "metrics/one_shot_mnist/{}.json",
)
# What the table calls a metric: the file that holds it, and its key there.
METRICS = {
    "10-class net, test accuracy": (CONVNET.format("10-class"), "test.accuracy"),
    "10-class net, test loss": (CONVNET.format("10-class"), "test.loss"),
    "10-class net, test accuracy, mirror-averaged": (CONVNET.format("10-class"), "test_mirror_averaged.accuracy"),
    "6-class net, test accuracy": (CONVNET.format("6-class"), "test.accuracy"),
    "6-class net, test loss": (CONVNET.format("6-class"), "test.loss"),
    "6-class net, test accuracy, mirror-averaged": (CONVNET.format("6-class"), "test_mirror_averaged.accuracy"),
    "one-shot, the report's protocol": (UNSEEN, "report_protocol.accuracy"),
    "1-shot, 10,000 episodes, raw": (UNSEEN, "episodes.shot_1.raw.accuracy"),
    "1-shot, 10,000 episodes, centred": (UNSEEN, "episodes.shot_1.centred.accuracy"),
    "1-shot, 10,000 episodes, mirror_centred": (UNSEEN, "episodes.shot_1.mirror_centred.accuracy"),
    "5-shot, 10,000 episodes, raw": (UNSEEN, "episodes.shot_5.raw.accuracy"),
    "5-shot, 10,000 episodes, centred": (UNSEEN, "episodes.shot_5.centred.accuracy"),
    "5-shot, 10,000 episodes, mirror_centred": (UNSEEN, "episodes.shot_5.mirror_centred.accuracy"),
    "siamese-2d, unseen digits, AUC": (PAIRS.format("siamese-2d"), "unseen.test.auc"),
    "siamese-3d, unseen digits, AUC": (PAIRS.format("siamese-3d"), "unseen.test.auc"),
    "siamese-2d, unseen digits, 1-shot": (DIGITS.format("siamese-2d"), "unseen.shot_1.accuracy"),
    "siamese-3d, unseen digits, 1-shot": (DIGITS.format("siamese-3d"), "unseen.shot_1.accuracy"),
    "dense-all, test accuracy": (DENSE.format("dense-all"), "test.accuracy"),
    "dense-seen, unseen digits, 1-shot": (DIGITS.format("dense-seen"), "unseen.shot_1.accuracy"),
}


def main() -> None:
    """Run the experiments, collect, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="*", default=[2], help="besides the one in params.yaml (default: 2)")
    parser.add_argument("--jobs", type=int, default=1, help="experiments that run at once (default: 1)")
    options = parser.parse_args()
    own = read()["seed"]
    names = {seed: f"seed-{seed}" for seed in options.seeds if seed != own}
    targets = ("train_convnet@10-class", "one_shot_cifar10", "one_shot_mnist")
    run_queue({name: [f"seed={seed}"] for seed, name in names.items()}, targets, options.jobs)
    paths = {path for path, _ in METRICS.values()}
    results = {own: {path: read_json(path) for path in paths}}
    results |= {seed: {path: stored(name, path) for path in paths} for seed, name in names.items()}
    table = collect(results)
    write_csv(TABLE, table)
    print(table.to_string(index=False))


def collect(results: dict[int, dict[str, dict]]) -> pd.DataFrame:
    """Summarise each of METRICS: {seed: {path: metrics}} -> one row each with mean, deviation (n - 1) and values.

    Raises KeyError if a metric is missing.
    """
    rows = []
    for metric, (path, key) in METRICS.items():
        found = {f"seed_{seed}": _leaf(files[path], key) for seed, files in sorted(results.items())}
        values = pd.Series(found)
        summary = {"mean": values.mean(), "deviation": values.std(), "trainings": len(values)}
        rows.append({"metric": metric} | summary | found)
    return pd.DataFrame(rows)


def _leaf(tree: dict, key: str) -> float:
    value: Any = tree
    for part in key.split("."):
        value = value[part]
    return value


if __name__ == "__main__":
    main()
