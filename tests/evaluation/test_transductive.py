"""Classifying the queries of an episode together: equal to a plain loop, balanced, and better where it should be."""

import numpy as np
import pytest
from scipy.special import logsumexp

from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes

CLASSES = [7, 2, 5]


@pytest.fixture(scope="module")
def data():
    """Features of unit length in single precision, and labels: three classes that overlap."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([*CLASSES, 9], 30))
    features = 0.8 * rng.normal(size=(10, 16))[labels] + rng.normal(size=(len(labels), 16))
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32), labels


def plain_loop(features, labels, classes, support):
    """The same in logarithms, image by image, in double precision."""
    positions = [place for label in classes for place in np.flatnonzero(labels == label)]
    means = np.array([features[places].mean(0) for places in support], np.float64)

    def log_shares():
        logs = -np.array([[((features[p] - mean) ** 2).sum() for mean in means] for p in positions])
        logs = logs / transductive.TEMPERATURE
        logs -= logs.max(1, keepdims=True)
        for _ in range(transductive.SCALINGS):
            logs -= logsumexp(logs, axis=0, keepdims=True)
            logs -= logsumexp(logs, axis=1, keepdims=True)
        return logs

    for _ in range(transductive.STEPS):
        shares = np.exp(log_shares())
        for way, places in enumerate(support):
            for place in places:
                shares[positions.index(place)] = np.eye(len(classes))[way]
        for way in range(len(classes)):
            placed = np.average(features[positions], axis=0, weights=shares[:, way])
            means[way] += transductive.MOVE * (placed - means[way])
    counts = np.zeros((len(classes), len(classes)), int)
    for place, winner in zip(positions, log_shares().argmax(1), strict=True):
        if place not in support:
            counts[classes.index(labels[place]), winner] += 1
    return counts


@pytest.mark.parametrize("shots", [1, 3])
def test_it_equals_a_plain_loop(data, shots):
    features, labels = data
    support = draw_episodes(labels, CLASSES, episodes=5, shots=shots, seed=1)
    expected = [plain_loop(features.astype(np.float64), labels, CLASSES, draw) for draw in support]
    np.testing.assert_array_equal(transductive.classify_together(features, labels, CLASSES, support), expected)


def test_more_episodes_than_a_block_change_nothing(data):
    features, labels = data
    support = draw_episodes(labels, CLASSES, episodes=37, shots=1, seed=1)
    together = transductive.classify_together(features, labels, CLASSES, support)
    one_by_one = [transductive.classify_together(features, labels, CLASSES, draw[None])[0] for draw in support]
    np.testing.assert_array_equal(together, one_by_one)


def test_shares_are_balanced(data):
    features, labels = data
    pool = features[np.isin(labels, CLASSES)]
    shares = transductive.assign(pool, np.array([[[0], [1], [2]]]))
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(shares.sum(2), len(pool) / 3, rtol=0.02)


def test_the_queries_help(data):
    features, labels = data
    support = draw_episodes(labels, CLASSES, episodes=30, shots=1, seed=2)
    alone, together = (
        accuracy(method(features, labels, CLASSES, support)).mean()
        for method in (classify_episodes, transductive.classify_together)
    )
    assert together > alone + 0.05
