"""The trial of one's own classes: the pipeline's episodes, as many examples as there are, and the memory bounded."""

import numpy as np
import pytest

from oneshot.core.errors import UserError
from oneshot.evaluation import confusion, few_shot
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.use import trial

NAMES = ["a", "b", "c"]


def vectors(counts, spread=1.0):
    """Classes along a line, so many of each."""
    random = np.random.default_rng(4)
    labels = np.repeat(np.arange(len(counts)), counts)
    return (labels[:, None] * 2 + random.normal(0, spread, (len(labels), 3))).astype(np.float32), labels


def test_it_is_the_evaluation_of_the_pipeline():
    features, labels = vectors([12, 20, 11])
    found = trial.run(features, labels, NAMES, episodes=50, seed=3)
    assert found.curve["shots"].tolist() == [1, 2, 5, 10] == list(found.confusions)
    for row in found.curve.to_dict("records"):
        support = draw_episodes(labels, range(3), episodes=50, shots=row["shots"], seed=3)
        counts = classify_episodes(features, labels, range(3), support)
        metrics = confusion.accuracy_metrics(counts)
        assert row["accuracy"] == pytest.approx(metrics["accuracy"])
        assert row["interval_95"] == pytest.approx(metrics["interval_95"])
        assert np.array_equal(found.confusions[row["shots"]], counts.sum(0))
        assert row["low"] <= row["accuracy"] <= row["high"]


def test_parts_of_the_episodes_change_nothing(monkeypatch):
    features, labels = vectors([6, 7, 8])
    whole = trial.run(features, labels, NAMES, episodes=50, seed=3)
    monkeypatch.setattr(few_shot, "_MOST_COUNTS", 7 * 9)
    parts = trial.run(features, labels, NAMES, episodes=50, seed=3)
    assert whole.curve.equals(parts.curve)
    assert all(np.array_equal(whole.confusions[shots], parts.confusions[shots]) for shots in (1, 2, 5))


@pytest.mark.parametrize(("fewest", "shots"), [(2, [1]), (3, [1, 2]), (5, [1, 2]), (6, [1, 2, 5]), (11, [1, 2, 5, 10])])
def test_every_class_keeps_a_query(fewest, shots):
    assert trial.possible_shots(np.repeat([0, 1], [30, fewest]), ["a", "b"]) == shots


def test_a_class_with_one_image_is_named():
    with pytest.raises(UserError, match="the class b has one image: two of each class are needed"):
        trial.check(np.array([0, 0, 1]), ["a", "b"], 100)


@pytest.mark.parametrize("episodes", [1, 0, -5, 10**9])
def test_the_number_of_episodes_is_bounded(episodes):
    with pytest.raises(UserError, match="the number of episodes must be from 2 to 5,000,000 with so many classes"):
        trial.check(np.repeat([0, 1], 4), ["a", "b"], episodes)
