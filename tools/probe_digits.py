"""Compare recipes of the siamese nets on seen digits that are held out from training, so that no unseen digit is used.

For each of five folds, two of the seen digits are left out of training and then classified from one example each, all
on validation images. Writes docs/digit_choice.csv. Interrupted, it resumes after the last finished epoch.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from oneshot.core import environment, params
from oneshot.core.errors import UserError
from oneshot.core.files import write_csv
from oneshot.core.seeds import generator
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.few_shot import evaluate_groups
from tools.digit_nets import Params, train

TABLE = Path("docs/digit_choice.csv")
# Shorter than the default training.
SHORT = {"epochs": 2, "images_per_epoch": 20_000}
# Name of a recipe: its differences from params.yaml and SHORT.
ARMS: dict[str, dict[str, float]] = {
    "default": {},
    "dropout 0.3": {"dropout": 0.3},
    "longer": {"epochs": 5},
    "longer, dropout 0.3": {"epochs": 5, "dropout": 0.3},
}
EPISODES, PAIRS = 1000, 20_000


def score(embeddings: np.ndarray, labels: np.ndarray, held_out: list[int], digits: list[int]) -> dict[str, float]:
    """Score embeddings (n, d) of validation images, labels (n,): one-shot accuracies and the AUC of pairs.

    two_way: among the held-out digits; five_way: among all `digits`; auc: of pairs with an image of a held-out digit.
    """
    groups = {"two_way": held_out, "five_way": digits}
    confusions = evaluate_groups(embeddings, labels, groups, shots=[1], episodes=EPISODES, seed=1)
    first, second = generator(1, "probe pairs").integers(len(labels), size=(2, PAIRS))
    new = np.isin(labels, held_out)
    kept = (new[first] | new[second]) & (first != second)
    first, second = first[kept], second[kept]
    distance = np.linalg.norm(embeddings[first] - embeddings[second], axis=1)
    return {
        **{group: float(accuracy(confusions[group, 1]).mean()) for group in groups},
        "auc": float(roc_auc_score(labels[first] == labels[second], -distance)),
    }


def folds(digits: list[int]) -> list[list[int]]:
    """Pair each digit with the next one, and the last one with the first."""
    return [[digit, digits[(place + 1) % len(digits)]] for place, digit in enumerate(digits)]


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """Compare each recipe with the default, fold by fold and seed by seed: mean, and gain with its standard error."""
    scores = ["two_way", "five_way", "auc"]
    keys = ["dimensions", "held_out", "seed"]
    lines = []
    for (arm, dimensions), part in table.groupby(["arm", "dimensions"], sort=False):
        default = table[table["arm"] == "default"].set_index(keys)[scores]
        gain = (part.set_index(keys)[scores] - default).dropna()
        row: dict[str, object] = {"arm": arm, "dimensions": dimensions}
        for name in scores:
            row |= {name: part[name].mean(), f"{name}_gain": gain[name].mean(), f"{name}_error": gain[name].sem()}
        lines.append(row)
    return pd.DataFrame(lines)


def main() -> None:
    """Train all recipes on all folds, write the table, and print the gains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the trainings (default: 1)")
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 3], help="of the nets (default: 2 3)")
    options = parser.parse_args()
    try:
        settings = params.load(Params)
        environment.enter(settings.compute)
        from oneshot.datasets import mnist

        parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
        train_set, validation = parts["seen_train"], parts["seen_validation"]
        digits, found = settings.mnist.seen_digits, []
        for arm, changes in ARMS.items():
            recipe = settings.recipe(**SHORT | changes)
            for dimensions in options.dimensions:
                for held_out in folds(digits):
                    sets = [
                        part.take(np.flatnonzero(~np.isin(part.labels, held_out))) for part in (train_set, validation)
                    ]
                    for seed in options.seeds:
                        fold = "-".join(map(str, held_out))
                        name = f"probe-{re.sub(r'[ ,]+', '-', arm)}-{dimensions}d-without-{fold}-seed-{seed}"
                        embed = train(name, dimensions, *sets, recipe, settings.compute, seed)
                        row = {"arm": arm, "dimensions": dimensions, "held_out": fold, "seed": seed}
                        found.append(row | score(embed(validation.images), validation.labels, held_out, digits))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: run make probe-digits to resume after the last finished epoch")
    table = pd.DataFrame(found)
    write_csv(TABLE, table)
    print(gains(table).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
