"""Choose on folds of the seen classes: the 6-class net's recipe, and ways to classify new classes from few examples.

Narrow nets are trained on three seen classes and classify three others, from one example and from five. No unseen class
and no test image is used. The rule for the recipe was set before the first training: of the four the one with
the greatest mean over RULE, unless a simpler one (with fewer of the two parts) is within the 95% interval of the
difference.
"""

from typing import Any

import narrow
import numpy as np
import pandas as pd
import study
import trainings
from narrow import SHOTS

from oneshot.evaluation.few_shot import compare_methods, compare_transductive, few_shot_accuracy, sample
from oneshot.evaluation.methods import METHODS
from oneshot.evaluation.transforms import Task
from oneshot.page.spread import half_width

EPOCHS, SEEN = 2, 1200  # SEEN: images of each class that a net is trained on, for statistics
EPISODES, TOGETHER_EPISODES = 600, 96
# Weights of the feature norm penalty and of the dense classification loss; simplest first.
RECIPES = {
    "plain": (0.0, 0.0),
    "feature norm penalty": (3.0, 0.0),
    "dense classification loss": (0.0, 1.0),
    "both": (3.0, 1.0),
}
CHOSEN = "both"
# What is averaged to choose: what the page's first screen and the report's protocol show, with one example and five.
RULE = [(arm, shots) for arm in ("raw", "flip_prerelu_gap_whitened") for shots in SHOTS]
# What else the recipes are compared by.
COMPARED = (
    *("raw", "cl2n", "prerelu_gap_whitened", "flip_prerelu_gap_whitened"),
    "soft k-means, flip_prerelu_gap_whitened",
)
# Beside all METHODS: other shrinkages, and methods that classify all queries together.
SHRUNK, SHRINKAGES = "prerelu_gap_whitened", (0.3, 0.8)
TOGETHER = ("cl2n", "prerelu_gap_whitened", "flip_prerelu_gap_whitened")
REFERENCE = "cl2n"  # SimpleShot's, with which all arms are compared


def one(fold: str, seed: int) -> None:
    """Train the nets of one fold by all RECIPES with one seed, and measure all arms with each."""
    classes = study.chosen("fold", fold, narrow.folds())
    params, part, tables = study.enter().model_copy(update={"seed": seed}), f"{fold}-{seed}", []
    train, validation, seen, held_out = narrow.photographs(*classes, params, SEEN)
    for name, (penalty, loss) in RECIPES.items():
        changes = {"feature_norm_penalty": penalty, "dense_classification_loss": loss}
        model, recipe = narrow.build(train, params, changes, EPOCHS)
        trainings.fit("convnet", model, train, validation, recipe, params, study.scratch("choice", part) / name)
        found = measure(narrow.represent(model, seen, held_out), seed)
        tables.append(found.assign(fold=fold, seed=seed, recipe=name))
    study.write_part("choice", part, pd.concat(tables))


def measure(task: Task, seed: int) -> pd.DataFrame:
    """Accuracy of each arm on the held-out classes, with the same draws: columns arm, shots, accuracy."""
    many = {"shots": SHOTS, "episodes": EPISODES, "seed": seed}
    draws = sample(task.labels, np.unique(task.labels).tolist(), **many)
    few = [draw._replace(support=draw.support[:TOGETHER_EPISODES]) for draw in draws]
    tables = [compare_methods(task, list(METHODS), draws).rename(columns={"method": "arm"})]
    for value in SHRINKAGES:
        found = few_shot_accuracy(task.transformed(SHRUNK, shrinkage=value), task.labels, **many)
        tables.append(found.assign(arm=f"{SHRUNK}, shrinkage {value}"))
    together = compare_transductive(task, TOGETHER, few)
    tables.append(together.assign(arm="soft k-means, " + together["method"]))
    return pd.concat(tables).sort_values("shots", kind="stable").reindex(columns=["arm", "shots", "accuracy"])


def gains(folds: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Compare columns in pairs with one of them, over folds (rows): accuracy (mean), gain, interval_95 (half-width)."""
    apart = folds.sub(folds[reference], axis=0)
    interval = half_width(apart.std(), len(folds))
    return pd.DataFrame({"accuracy": folds.mean(), "gain": apart.mean(), "interval_95": interval})


def compare_recipes(values: pd.DataFrame) -> pd.DataFrame:
    """Gains over `plain`: columns fold, seed, recipe, arm, shots, accuracy -> one row per method, shots and recipe.

    The seeds of a fold are averaged, since folds are what differs. Columns: method, shots, recipe, accuracy (mean over
    folds), gain, interval_95, behind_best, behind_interval_95, folds; intervals are half-widths over folds. The method
    "rule" is the mean of RULE.
    """
    measured = values.pivot_table(index="fold", columns=["arm", "shots", "recipe"], values="accuracy")
    compared: dict[tuple[str, int], Any] = {("rule", 0): sum(measured[column] for column in RULE) / len(RULE)}
    compared |= {(arm, shots): measured[arm, shots] for shots in SHOTS for arm in COMPARED}
    tables = {}
    for setting, folds in compared.items():
        table, best = gains(folds, "plain"), gains(folds, folds.mean().idxmax())
        table = table.assign(behind_best=0 - best["gain"], behind_interval_95=best["interval_95"], folds=len(folds))
        tables[setting] = table.loc[list(RECIPES)]
    return pd.concat(tables, names=["method", "shots"]).reset_index()


def compare_arms(values: pd.DataFrame) -> pd.DataFrame:
    """Compare each arm with REFERENCE in pairs, by the recipe CHOSEN -> one row per shots and arm, best first.

    Columns: shots, arm, accuracy (mean over folds), gain_over_REFERENCE, interval_95 (of the gain, over folds), folds.
    """
    tables = {}
    for shots, part in values[values["recipe"] == CHOSEN].groupby("shots"):
        folds = part.pivot_table(index="fold", columns="arm", values="accuracy")
        table = gains(folds, REFERENCE).assign(folds=len(folds)).rename(columns={"gain": f"gain_over_{REFERENCE}"})
        tables[shots] = table.sort_values("accuracy", ascending=False, kind="stable")
    return pd.concat(tables, names=["shots"]).reset_index()


def collect() -> None:
    """Compare all folds and seeds."""
    values = study.parts("choice")
    study.write_table("recipe_folds", compare_recipes(values))
    study.write_table("choice", compare_arms(values))


if __name__ == "__main__":
    study.main(__doc__, one, collect)
