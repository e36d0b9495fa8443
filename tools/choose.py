"""Compare ways to classify new classes from few examples on folds of the seen classes, so that no unseen one is used.

Narrow nets are trained on three seen classes each and classify three others: with the transforms of the features, with
soft k-means over the queries, and, for each RECIPE=VALUE, after training by a changed recipe (such as
label_smoothing=0.0). The nets are kept, so a run that was interrupted resumes. Writes choice.csv and a picture.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from oneshot.convnet.params import Recipe
from oneshot.core.environment import enter
from oneshot.core.errors import UserError
from oneshot.core.files import write_bytes, write_csv
from oneshot.core.params import read, validate
from oneshot.datasets import cifar10
from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import draw_episodes, evaluate
from oneshot.evaluation.transforms import METHODS, represent
from oneshot.plotting.figures import png
from tools.folds import FoldFeatures, FoldParams, all_folds, features_of

TABLE, PICTURE = Path("research/tables/choice.csv"), Path("research/tables/choice.png")
REFERENCE = "centred"  # the arm that all others are compared with: SimpleShot's
SHOTS, EPISODES, TOGETHER_EPISODES = (1, 5), 600, 96
SHRINKAGES = (0.3, 0.8)
# Measured with each changed recipe.
AFTER_TRAINING = ("raw", REFERENCE, "mirror_both_whitened")


def main() -> None:
    """Train or read the nets, measure all arms, and write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "recipes",
        nargs="*",
        type=change,
        metavar="RECIPE=VALUE",
        help="changes of the 6-class net's recipe, compared one by one",
    )
    parser.add_argument("--folds", type=int, choices=range(2, 13), default=6, help="folds to use (default: 6)")
    options = parser.parse_args()
    try:
        run(options.recipes, options.folds)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command resumes after the last finished epoch")


def run(recipes: Sequence[tuple[str, float]], folds: int) -> None:
    """Measure all arms on some folds, with each changed recipe, and write the table and the picture."""
    params = validate(read(), FoldParams)
    for name, value in recipes:
        try:
            params.recipe({name: value})
        except UserError as error:
            raise UserError(f"RECIPES: {str(error).removeprefix('params.yaml: ')}") from None
    enter(params.compute)
    data = cifar10.read("data/raw/cifar10")
    rows = []
    for fold in all_folds()[:folds]:
        for name, value in dict.fromkeys([("", 0.0), *recipes]):
            features = features_of(fold, data, params, {name: value} if name else {})
            for arm, shots, found in measure(features, f"{name} {value:g}" if name else "", params.seed):
                rows.append((fold.name, arm, shots, found))
        print(f"fold {fold.name} is measured", flush=True)
    table = compare(pd.DataFrame(rows, columns=["fold", "arm", "shots", "accuracy"]))
    write_csv(TABLE, table)
    write_bytes(PICTURE, draw(table))
    print(table.to_string(index=False))


def change(text: str) -> tuple[str, float]:
    """Read a change of the recipe: "label_smoothing=0" -> ("label_smoothing", 0.0)."""
    name, _, value = text.partition("=")
    numbers = [key for key, field in Recipe.model_fields.items() if field.annotation is float]
    if name not in numbers:
        raise argparse.ArgumentTypeError(f"{text!r} should be NAME=NUMBER, with a name of {', '.join(numbers)}")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} should end with a number") from None


def measure(features: FoldFeatures, recipe: str, seed: int) -> Iterator[tuple[str, int, float]]:
    """Yield (arm, shots, accuracy) of each arm on one fold; all arms get the same draws. recipe: the change, if any."""
    labels = features.held_out_labels
    classes = np.unique(labels).tolist()
    draws = {shots: draw_episodes(labels, classes, episodes=EPISODES, shots=shots, seed=seed) for shots in SHOTS}
    for arm, make in arms(recipe).items():
        transformed = make(features)
        together = arm.startswith("soft k-means")
        for shots, support in draws.items():
            method = transductive.evaluate if together else evaluate
            chosen = support[:TOGETHER_EPISODES] if together else support
            yield arm, shots, float(accuracy(method(transformed, labels, classes, chosen)).mean())


def arms(recipe: str) -> dict[str, Callable[[FoldFeatures], np.ndarray]]:
    """List what is compared: the name of each arm, and a function from a fold's features to transformed ones."""

    def transform(method: str, **options: float) -> Callable[[FoldFeatures], np.ndarray]:
        return lambda fold: represent(method, *fold[:3], **options)

    if recipe:
        return {f"{method}, {recipe}": transform(method) for method in AFTER_TRAINING}
    made = {method: transform(method) for method in METHODS}
    for shrinkage in SHRINKAGES:
        made[f"both_whitened, shrinkage {shrinkage}"] = transform("both_whitened", shrinkage=shrinkage)
    for method in ("centred", "both_whitened", "mirror_both_whitened"):
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
