"""The chooser: its folds, what it compares, and intervals over folds."""

import argparse
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import draw_episodes, evaluate
from oneshot.evaluation.transforms import METHODS, represent
from tools import choose
from tools.folds import ANIMALS, VEHICLES, FoldFeatures, all_folds


def test_a_net_is_trained_on_a_vehicle_and_two_animals_and_the_others_are_held_out():
    folds = all_folds()
    assert len({fold.trained for fold in folds}) == 12
    for trained, held_out in folds:
        assert sorted(trained + held_out) == sorted(VEHICLES + ANIMALS)
        assert all(len(set(part) & set(VEHICLES)) == 1 for part in (trained, held_out))
    first = folds[:6]
    assert len({fold.trained[1:] for fold in first}) == 6
    assert [fold.trained[0] for fold in first].count(0) == 3


@pytest.fixture(scope="module")
def features() -> FoldFeatures:
    """Three new classes of 40 images and three known ones of 30."""
    rng = np.random.default_rng(0)
    labels, known = np.repeat([1, 4, 5], 40), np.repeat([0, 2, 3], 30)
    sizes = {"units": 6, "linear": 6, "pooled": 4}

    def made(labels):
        return {
            name: np.abs(rng.normal(size=(6, size))[labels] + rng.normal(size=(2, len(labels), size)))
            for name, size in sizes.items()
        }

    return FoldFeatures(made(labels), made(known), known, labels)


def test_every_arm_is_measured_on_the_same_draws(features, monkeypatch):
    monkeypatch.setattr(choose, "EPISODES", 20)
    monkeypatch.setattr(choose, "TOGETHER_EPISODES", 8)
    found = {(arm, shots): value for arm, shots, value in choose.measure(features, "", 1)}
    assert {arm for arm, _ in found} >= set(METHODS)
    support = draw_episodes(features.held_out_labels, [1, 4, 5], episodes=20, shots=5, seed=1)
    shown = features.held_out_labels, [1, 4, 5]
    both = represent("both_whitened", features.held_out, features.trained, features.trained_labels)
    assert found["both_whitened", 5] == accuracy(evaluate(both, *shown, support)).mean()
    together = transductive.evaluate(both, *shown, support[:8])
    assert found["soft k-means, both_whitened", 5] == accuracy(together).mean()
    changed = [arm for arm, *_ in choose.measure(features, "warmup 0.3", 1)]
    assert changed[::2] == [f"{method}, warmup 0.3" for method in choose.AFTER_TRAINING]


def test_arms_are_compared_in_pairs_with_an_interval_over_folds():
    values = pd.DataFrame(
        [
            (fold, arm, 1, accuracy)
            for fold, both in {"a": (0.5, 0.53), "b": (0.6, 0.64), "c": (0.7, 0.72)}.items()
            for arm, accuracy in zip(("centred", "whitened"), both, strict=True)
        ],
        columns=["fold", "arm", "shots", "accuracy"],
    )
    table = choose.compare(values)
    assert table["arm"].tolist() == ["whitened", "centred"]
    best, reference = table.to_dict("records")
    assert best["accuracy"] == pytest.approx(0.63) and best["gain_over_centred"] == pytest.approx(0.03)
    low, high = stats.ttest_1samp([0.03, 0.04, 0.02], 0).confidence_interval()
    assert best["interval_95"] == pytest.approx((high - low) / 2)
    assert reference["gain_over_centred"] == reference["interval_95"] == 0
    assert choose.draw(table).startswith(b"\x89PNG")


def test_a_change_of_the_recipe_is_read_and_a_wrong_one_is_named():
    assert choose.change("label_smoothing=0") == ("label_smoothing", 0.0)
    with pytest.raises(argparse.ArgumentTypeError, match=r"'smooth=1' should be NAME=NUMBER, with a name of learning"):
        choose.change("smooth=1")
    with pytest.raises(argparse.ArgumentTypeError, match="should end with a number"):
        choose.change("warmup=much")


def test_ctrl_c_says_how_to_resume(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(choose, "run", interrupt)
    monkeypatch.setattr(sys, "argv", ["choose"])
    with pytest.raises(SystemExit, match="interrupted: the same command resumes after the last finished epoch"):
        choose.main()
