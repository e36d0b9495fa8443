"""The choice on folds: what is compared, and intervals over folds."""

import choice
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oneshot.core.errors import UserError
from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.methods import METHODS
from oneshot.evaluation.transforms import Task


@pytest.fixture(scope="module")
def features() -> Task:
    """Three new classes of 40 images and three known ones of 30."""
    rng = np.random.default_rng(0)
    labels, known = np.repeat([1, 4, 5], 40), np.repeat([0, 2, 3], 30)
    sizes = {"units": 6, "linear": 6, "pooled": 4}

    def made(labels):
        return {
            name: np.abs(rng.normal(size=(6, size))[labels] + rng.normal(size=(2, len(labels), size)))
            for name, size in sizes.items()
        }

    return Task(made(labels), labels, made(known), known)


def test_every_arm_is_measured_on_the_same_draws(features, monkeypatch):
    monkeypatch.setattr(choice, "EPISODES", 20)
    monkeypatch.setattr(choice, "TOGETHER_EPISODES", 8)
    found = choice.measure(features, 1).set_index(["arm", "shots"])["accuracy"]
    assert {arm for arm, _ in found.index} >= set(METHODS)
    support = draw_episodes(features.labels, [1, 4, 5], episodes=20, shots=5, seed=1)
    shown = features.labels, [1, 4, 5]
    both = features.transformed("prerelu_gap_whitened")
    assert found["prerelu_gap_whitened", 5] == accuracy(classify_episodes(both, *shown, support)).mean()
    together = transductive.classify_together(both, *shown, support[:8])
    assert found["soft k-means, prerelu_gap_whitened", 5] == accuracy(together).mean()


def test_a_fold_that_is_none_is_a_users_mistake():
    with pytest.raises(UserError, match="there is no fold 0-99: name one of 0-23, 1-24"):
        choice.one("0-99", 1)


def values_of(accuracies: dict[str, tuple], arms: tuple[str, ...], recipes: tuple[str, ...]) -> pd.DataFrame:
    """Accuracies of each fold, by recipe and arm, the same with each number of shots."""
    rows = [
        (fold, 1, recipe, arm, shots, value)
        for fold, found in accuracies.items()
        for (recipe, arm), value in zip([(recipe, arm) for recipe in recipes for arm in arms], found, strict=True)
        for shots in choice.SHOTS
    ]
    return pd.DataFrame(rows, columns=["fold", "seed", "recipe", "arm", "shots", "accuracy"])


def test_arms_are_compared_in_pairs_with_an_interval_over_folds():
    accuracies = {"a": (0.5, 0.53), "b": (0.6, 0.64), "c": (0.7, 0.72)}
    table = choice.compare_arms(values_of(accuracies, ("cl2n", "whitened"), ("both",)))
    table = table[table["shots"] == 1]
    assert table["arm"].tolist() == ["whitened", "cl2n"]
    best, reference = table.to_dict("records")
    assert best["accuracy"] == pytest.approx(0.63) and best["gain_over_cl2n"] == pytest.approx(0.03)
    low, high = stats.ttest_1samp([0.03, 0.04, 0.02], 0).confidence_interval()
    assert best["interval_95"] == pytest.approx((high - low) / 2)
    assert reference["gain_over_cl2n"] == reference["interval_95"] == 0


def test_recipes_are_compared_with_the_plain_one_and_with_the_best_by_the_rule():
    rng = np.random.default_rng(0)
    count = len(choice.RECIPES) * len(choice.COMPARED)
    accuracies = {fold: tuple(rng.uniform(0.4, 0.9, count)) for fold in "abc"}
    values = values_of(accuracies, choice.COMPARED, tuple(choice.RECIPES))
    table = choice.compare_recipes(values)
    assert len(table) == (1 + 2 * len(choice.COMPARED)) * len(choice.RECIPES)
    rule = table[table["method"] == "rule"].set_index("recipe")
    arms = values[values["arm"].isin(["raw", "flip_prerelu_gap_whitened"])]
    means = arms.groupby(["fold", "recipe"])["accuracy"].mean().unstack()[list(choice.RECIPES)]
    np.testing.assert_allclose(rule["accuracy"], means.mean())
    np.testing.assert_allclose(rule["gain"], (means.sub(means["plain"], axis=0)).mean(), atol=1e-12)
    best = means.mean().idxmax()
    assert rule.loc[best, "behind_best"] == rule.loc["plain", "gain"] == 0
    low, high = stats.ttest_1samp(means[best] - means["plain"], 0).confidence_interval()
    assert rule.loc["plain", "behind_interval_95"] == pytest.approx((high - low) / 2)
