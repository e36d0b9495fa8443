"""The choicer: its folds, what it compares, and intervals over folds."""

import choice
import numpy as np
import pandas as pd
import pytest
from folds import ANIMALS, VEHICLES, FoldFeatures, all_folds
from scipy import stats

from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.transforms import METHODS, transform_features


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
    monkeypatch.setattr(choice, "EPISODES", 20)
    monkeypatch.setattr(choice, "TOGETHER_EPISODES", 8)
    found = {(arm, shots): value for arm, shots, value in choice.measure(features, 1)}
    assert {arm for arm, _ in found} >= set(METHODS)
    support = draw_episodes(features.held_out_labels, [1, 4, 5], episodes=20, shots=5, seed=1)
    shown = features.held_out_labels, [1, 4, 5]
    both = transform_features("prerelu_gap_whitened", features.held_out, features.trained, features.trained_labels)
    assert found["prerelu_gap_whitened", 5] == accuracy(classify_episodes(both, *shown, support)).mean()
    together = transductive.classify_together(both, *shown, support[:8])
    assert found["soft k-means, prerelu_gap_whitened", 5] == accuracy(together).mean()


def test_arms_are_compared_in_pairs_with_an_interval_over_folds():
    values = pd.DataFrame(
        [
            (fold, arm, 1, accuracy)
            for fold, both in {"a": (0.5, 0.53), "b": (0.6, 0.64), "c": (0.7, 0.72)}.items()
            for arm, accuracy in zip(("cl2n", "whitened"), both, strict=True)
        ],
        columns=["fold", "arm", "shots", "accuracy"],
    )
    table = choice.compare(values)
    assert table["arm"].tolist() == ["whitened", "cl2n"]
    best, reference = table.to_dict("records")
    assert best["accuracy"] == pytest.approx(0.63) and best["gain_over_cl2n"] == pytest.approx(0.03)
    low, high = stats.ttest_1samp([0.03, 0.04, 0.02], 0).confidence_interval()
    assert best["interval_95"] == pytest.approx((high - low) / 2)
    assert reference["gain_over_cl2n"] == reference["interval_95"] == 0
    assert choice.draw(table).startswith(b"\x89PNG")
