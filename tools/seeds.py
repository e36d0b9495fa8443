"""Run the pipeline with other seeds through DVC's queue; keep each figure's mean and spread in docs/seeds.csv."""

import argparse
from pathlib import Path

import pandas as pd

from oneshot.files import read_json, write_csv
from oneshot.params import read
from tools.experiments import run_queue, stored

TABLE = Path("docs/seeds.csv")
CONVNET, NOVEL, PAIRS, DENSE, DIGITS = (
    "metrics/train_convnet/{}.json",
    "metrics/one_shot_cifar10.json",
    "metrics/train_siamese/{}.json",
    "metrics/train_dense_embedding/{}.json",
    "metrics/one_shot_mnist/{}.json",
)
# What the table calls a figure: the file that holds it, and its key there.
FIGURES = {
    "10-class net, test accuracy": (CONVNET.format("10-class"), "test.accuracy"),
    "10-class net, test loss": (CONVNET.format("10-class"), "test.loss"),
    "10-class net, test accuracy, mirror-averaged": (CONVNET.format("10-class"), "test_mirror_averaged.accuracy"),
    "6-class net, test accuracy": (CONVNET.format("6-class"), "test.accuracy"),
    "6-class net, test loss": (CONVNET.format("6-class"), "test.loss"),
    "6-class net, test accuracy, mirror-averaged": (CONVNET.format("6-class"), "test_mirror_averaged.accuracy"),
    "one-shot, the report's protocol": (NOVEL, "report_protocol.accuracy"),
    "1-shot, 10,000 episodes, raw": (NOVEL, "episodes.shot_1.raw.accuracy"),
    "1-shot, 10,000 episodes, centred": (NOVEL, "episodes.shot_1.centred.accuracy"),
    "1-shot, 10,000 episodes, mirror_centred": (NOVEL, "episodes.shot_1.mirror_centred.accuracy"),
    "5-shot, 10,000 episodes, raw": (NOVEL, "episodes.shot_5.raw.accuracy"),
    "5-shot, 10,000 episodes, centred": (NOVEL, "episodes.shot_5.centred.accuracy"),
    "5-shot, 10,000 episodes, mirror_centred": (NOVEL, "episodes.shot_5.mirror_centred.accuracy"),
    "siamese 2-D, unseen digits, AUC": (PAIRS.format("2d"), "unseen.test.auc"),
    "siamese 3-D, unseen digits, AUC": (PAIRS.format("3d"), "unseen.test.auc"),
    "siamese 2-D, unseen digits, 1-shot": (DIGITS.format("siamese-2d"), "unseen.shot_1.accuracy"),
    "siamese 3-D, unseen digits, 1-shot": (DIGITS.format("siamese-3d"), "unseen.shot_1.accuracy"),
    "dense net of all digits, test accuracy": (DENSE.format("all"), "test.accuracy"),
    "dense net of seen digits, unseen digits, 1-shot": (DIGITS.format("dense-seen"), "unseen.shot_1.accuracy"),
}


def main() -> None:
    """Run what is not stored yet, collect, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="*", default=[2], help="besides that of params.yaml (default: 2)")
    parser.add_argument("--jobs", type=int, default=1, help="experiments that run at once (default: 1)")
    options = parser.parse_args()
    own = read()["seed"]
    names = {seed: f"seed-{seed}" for seed in options.seeds if seed != own}
    targets = ("train_convnet@10-class", "one_shot_cifar10", "one_shot_mnist")
    run_queue({name: [f"seed={seed}"] for seed, name in names.items()}, targets, options.jobs)
    paths = {path for path, _ in FIGURES.values()}
    results = {own: {path: read_json(path) for path in paths}}
    results |= {seed: {path: stored(name, path) for path in paths} for seed, name in names.items()}
    table = collect(results)
    write_csv(TABLE, table)
    print(table.to_string(index=False))


def collect(results: dict[int, dict[str, dict]]) -> pd.DataFrame:
    """Tell each of FIGURES: {seed: {path: metrics}} -> a row a figure, its mean, deviation (n - 1) and seeds.

    Raises KeyError where a metric is missing.
    """
    rows = []
    for figure, (path, key) in FIGURES.items():
        found = {f"seed_{seed}": _leaf(files[path], key) for seed, files in sorted(results.items())}
        values = pd.Series(found)
        summary = {"mean": values.mean(), "deviation": values.std(), "trainings": len(values)}
        rows.append({"figure": figure} | summary | found)
    return pd.DataFrame(rows)


def _leaf(tree: dict, key: str) -> float:
    for part in key.split("."):
        tree = tree[part]
    return tree


if __name__ == "__main__":
    main()
