"""Compare ways to classify new classes from few examples on folds of the seen classes, so that no unseen one is used.

Narrow nets are trained on three seen classes each and classify three others: with the transforms of the features, and
with soft k-means over the queries.

    python choice.py FOLD    one fold: parts/choice/FOLD.csv
    python choice.py         tables/choice.csv of all folds, and its picture
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from folds import FoldFeatures, FoldParams, all_folds, features_of
from matplotlib.figure import Figure
from scipy import stats

from oneshot.core.environment import enter
from oneshot.core.errors import UserError
from oneshot.core.files import write_bytes, write_csv
from oneshot.core.params import read, validate
from oneshot.datasets import cifar10
from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.transforms import METHODS, transform_features
from oneshot.plotting.figures import png

PARTS, TABLE = Path("parts/choice"), Path("tables/choice.csv")
REFERENCE = "cl2n"  # the arm that all others are compared with: SimpleShot's
SHOTS, EPISODES, TOGETHER_EPISODES = (1, 5), 600, 96
SHRINKAGES = (0.3, 0.8)


def main() -> None:
    """Measure one fold, or compare all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fold", nargs="?", choices=[fold.name for fold in all_folds()], metavar="FOLD")
    name = parser.parse_args().fold
    try:
        if name:
            one(name)
        else:
            table = compare(pd.concat([pd.read_csv(path) for path in sorted(PARTS.glob("*.csv"))]))
            write_csv(TABLE, table)
            write_bytes(TABLE.with_suffix(".png"), draw(table))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command resumes after the last finished epoch")


def one(name: str) -> None:
    """Train or read the net of a fold, and measure all arms with it."""
    (fold,) = (fold for fold in all_folds() if fold.name == name)
    params = validate(read(), FoldParams)
    enter(params.compute)
    features = features_of(fold, cifar10.read("data/raw/cifar10"), params, {})
    rows = [(name, *found) for found in measure(features, params.seed)]
    write_csv(PARTS / f"{name}.csv", pd.DataFrame(rows, columns=["fold", "arm", "shots", "accuracy"]))


def measure(features: FoldFeatures, seed: int) -> Iterator[tuple[str, int, float]]:
    """Yield (arm, shots, accuracy) of each arm on one fold; all arms get the same draws."""
    labels = features.held_out_labels
    classes = np.unique(labels).tolist()
    draws = {shots: draw_episodes(labels, classes, episodes=EPISODES, shots=shots, seed=seed) for shots in SHOTS}
    for arm, make in arms().items():
        transformed = make(features)
        together = arm.startswith("soft k-means")
        for shots, support in draws.items():
            method = transductive.classify_together if together else classify_episodes
            chosen = support[:TOGETHER_EPISODES] if together else support
            yield arm, shots, float(accuracy(method(transformed, labels, classes, chosen)).mean())


def arms() -> dict[str, Callable[[FoldFeatures], np.ndarray]]:
    """List what is compared: the name of each arm, and a function from a fold's features to transformed ones."""

    def transform(method: str, **options: float) -> Callable[[FoldFeatures], np.ndarray]:
        return lambda fold: transform_features(method, *fold[:3], **options)

    made = {method: transform(method) for method in METHODS}
    for shrinkage in SHRINKAGES:
        made[f"prerelu_gap_whitened, shrinkage {shrinkage}"] = transform("prerelu_gap_whitened", shrinkage=shrinkage)
    for method in ("cl2n", "prerelu_gap_whitened", "flip_prerelu_gap_whitened"):
        made[f"soft k-means, {method}"] = transform(method)
    return made


def compare(values: pd.DataFrame) -> pd.DataFrame:
    """Compare each arm with REFERENCE in pairs: columns fold, arm, shots and accuracy -> one row per shots and arm.

    Columns: shots, arm, accuracy (mean over folds), gain_over_REFERENCE, interval_95 (half-width of the gain's interval
    over folds, by Student's t), folds; best first. One fold alone has no interval.
    """
    rows = []
    for shots, part in values.groupby("shots"):
        folds = part.pivot(index="fold", columns="arm", values="accuracy")
        gains = folds.sub(folds[REFERENCE], axis=0)
        half = stats.t.ppf(0.975, max(1, len(folds) - 1)) * gains.std() / np.sqrt(len(folds))
        for arm in folds.mean().sort_values(ascending=False, kind="stable").index:
            rows.append((shots, arm, folds[arm].mean(), gains[arm].mean(), half[arm], len(folds)))
    return pd.DataFrame(rows, columns=["shots", "arm", "accuracy", f"gain_over_{REFERENCE}", "interval_95", "folds"])


def draw(table: pd.DataFrame) -> bytes:
    """Draw the gains with their intervals, one panel per number of shots, best arm on top; return a PNG."""
    groups = list(table.groupby("shots"))
    chart = Figure(figsize=(7 * len(groups), 1.2 + 0.28 * max(len(part) for _, part in groups)), dpi=110)
    chart.set_layout_engine("constrained")
    for ax, (shots, part) in zip(np.atleast_1d(chart.subplots(1, len(groups))), groups, strict=True):
        places = -np.arange(len(part))
        ax.errorbar(
            100 * part[f"gain_over_{REFERENCE}"], places, xerr=100 * part["interval_95"], fmt="o", color="#0072B2"
        )
        ax.set_yticks(places, part["arm"])
        ax.axvline(0, color="0.6", zorder=0)
        ax.set_xlabel(f"points over {REFERENCE}, with 95% intervals over {part['folds'].iloc[0]} folds")
        ax.set_title(f"{shots}-shot", loc="left")
        ax.grid(axis="x", alpha=0.3)
    return png(chart)


if __name__ == "__main__":
    main()
