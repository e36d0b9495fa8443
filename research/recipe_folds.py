"""Choose the 6-class net's recipe on folds of the seen classes: plain, with one further part of the loss, or with both.

Narrow nets are trained on three seen classes and classify three others, from one example and from five. No unseen class
and no test image is used. The rule was set before the first training: of the four recipes the one with the greatest
mean over RULE, unless a simpler one (with fewer of the two parts) is within the 95% interval of the difference.

    python recipe_folds.py FOLD SEED    one fold and seed, four trainings: parts/recipe_folds/FOLD-SEED.csv
    python recipe_folds.py              tables/recipe_folds.csv of all folds and seeds
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from folds import FoldFeatures, FoldParams, all_folds, features_of
from scipy import stats

from oneshot.core.environment import enter
from oneshot.core.errors import UserError
from oneshot.core.files import write_csv
from oneshot.core.params import read, validate
from oneshot.datasets import cifar10
from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.transforms import transform_features

PARTS, TABLE = Path("parts/recipe_folds"), Path("tables/recipe_folds.csv")
# Weights of the feature norm penalty and of the dense classification loss; simplest first.
RECIPES = {
    "plain": (0.0, 0.0),
    "feature norm penalty": (3.0, 0.0),
    "dense classification loss": (0.0, 1.0),
    "both": (3.0, 1.0),
}
METHODS = ("raw", "cl2n", "prerelu_gap_whitened", "flip_prerelu_gap_whitened")
TOGETHER = "flip_prerelu_gap_whitened"
SHOTS, EPISODES, TOGETHER_EPISODES = (1, 5), 600, 96
# What is averaged to choose: what the page's first screen and the report's protocol show, with one example and five.
RULE = [(method, shots) for method in ("raw", "flip_prerelu_gap_whitened") for shots in SHOTS]


def measure(features: FoldFeatures, seed: int) -> Iterator[tuple[str, int, float]]:
    """Yield (method, shots, accuracy) on the classes held out from a fold's net."""
    labels = features.held_out_labels
    classes = np.unique(labels).tolist()
    for shots in SHOTS:
        support = draw_episodes(labels, classes, episodes=EPISODES, shots=shots, seed=seed)
        for method in METHODS:
            yield (
                method,
                shots,
                float(
                    accuracy(
                        classify_episodes(transform_features(method, *features[:3]), labels, classes, support)
                    ).mean()
                ),
            )
        chosen = transductive.classify_together(
            transform_features(TOGETHER, *features[:3]), labels, classes, support[:TOGETHER_EPISODES]
        )
        yield f"soft k-means, {TOGETHER}", shots, float(accuracy(chosen).mean())


def one(name: str, seed: int) -> None:
    """Train the nets of one fold by all RECIPES with one seed, and write their accuracies."""
    fold = next(fold for fold in all_folds() if fold.name == name)
    params = validate(read(), FoldParams).model_copy(update={"seed": seed})
    enter(params.compute)
    data, rows = cifar10.read("data/raw/cifar10"), []
    for recipe, (penalty, loss) in RECIPES.items():
        changes = {"feature_norm_penalty": penalty, "dense_classification_loss": loss}
        features = features_of(fold, data, params, changes)
        rows += [(name, seed, recipe, *found) for found in measure(features, seed)]
    table = pd.DataFrame(rows, columns=["fold", "seed", "recipe", "method", "shots", "accuracy"])
    write_csv(PARTS / f"{name}-{seed}.csv", table)


def compare(values: pd.DataFrame) -> pd.DataFrame:
    """Gains over `plain`: columns fold, seed, recipe, method, shots, accuracy -> one row per method, shots and recipe.

    The seeds of a fold are averaged, since folds are what differs. Columns: method, shots, recipe, accuracy (mean over
    folds), gain, interval_95, behind_best, behind_interval_95, folds; intervals are half-widths over folds, by
    Student's t. The method "rule" is the mean of RULE.
    """
    measured = {}
    for method, shots in values[["method", "shots"]].drop_duplicates().itertuples(index=False):
        part = values[(values["method"] == method) & (values["shots"] == shots)]
        measured[method, shots] = part.pivot_table(index="fold", columns="recipe", values="accuracy")
    rule = sum(measured[key] for key in RULE) / len(RULE)
    rows = []
    for (method, shots), folds in {("rule", 0): rule, **measured}.items():
        best = folds.mean().idxmax()
        for recipe in RECIPES:
            gain, behind = (
                _mean_and_interval(folds[one] - folds[other]) for one, other in ((recipe, "plain"), (best, recipe))
            )
            rows.append((method, shots, recipe, folds[recipe].mean(), *gain, *behind, len(folds)))
    columns = [
        "method",
        "shots",
        "recipe",
        "accuracy",
        "gain",
        "interval_95",
        "behind_best",
        "behind_interval_95",
        "folds",
    ]
    return pd.DataFrame(rows, columns=columns)


def _mean_and_interval(values: pd.Series) -> tuple[float, float]:
    """Mean and half-width of its 95% interval by Student's t."""
    return values.mean(), stats.t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values))


def main() -> None:
    """Run one fold and seed, or compare all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fold", nargs="?", choices=[fold.name for fold in all_folds()], metavar="FOLD")
    parser.add_argument("seed", nargs="?", type=int, metavar="SEED")
    options = parser.parse_args()
    try:
        if options.fold:
            one(options.fold, options.seed)
        else:
            table = compare(pd.concat([pd.read_csv(path) for path in sorted(PARTS.glob("*.csv"))]))
            write_csv(TABLE, table)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command resumes after the last finished epoch")


if __name__ == "__main__":
    main()
