"""The report's protocol, against a naive loop over draws and images."""

import numpy as np
import pytest

from oneshot.evaluation import report_protocol
from oneshot.evaluation.confusion import accuracy

CLASSES = [6, 7, 9]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([5, *CLASSES], 15))
    features = rng.normal(size=(10, 4))[labels] + rng.normal(size=(60, 4))
    return features.astype(np.float32), labels


def naive(features, labels, classes, pool, support):
    """One draw, query and class after another, in plain Python."""
    matrices = []
    for chosen in support:
        examples = [int(pool[position]) for (position,) in chosen]
        matrix = [[0] * len(classes) for _ in classes]
        for image in pool:
            if image in examples:
                continue
            squares = [
                sum((float(a) - float(b)) ** 2 for a, b in zip(features[image], features[example], strict=True))
                for example in examples
            ]
            matrix[classes.index(labels[image])][squares.index(min(squares))] += 1
        matrices.append(matrix)
    return matrices


def test_the_protocol_equals_a_naive_loop(data):
    features, labels = data
    draws = report_protocol.run(features, labels, CLASSES, images_per_class=10, draws=20, seed=4)
    assert draws.confusions.tolist() == naive(features, labels, CLASSES, draws.pool, draws.support)
    assert 1 / 3 < accuracy(draws.confusions).mean() < 1


def test_each_draw_has_one_image_of_each_class_from_the_same_pool(data):
    features, labels = data
    draws = report_protocol.run(features, labels, CLASSES, images_per_class=10, draws=20, seed=4)
    assert labels[draws.pool].tolist() == np.repeat(CLASSES, 10).tolist()
    assert len(set(draws.pool)) == 30
    assert draws.support.shape == (20, 3, 1)
    assert (labels[draws.pool[draws.support[..., 0]]] == CLASSES).all()
    assert len(np.unique(draws.support)) > 20
    assert draws.confusions.sum(2).tolist() == [[9] * 3] * 20


def test_draws_follow_from_the_seed(data):
    features, labels = data
    options = {"images_per_class": 10, "draws": 20}
    first, again, other = (report_protocol.run(features, labels, CLASSES, **options, seed=seed) for seed in (4, 4, 5))
    for ours, theirs in zip(first, again, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(first.pool, other.pool) and not np.array_equal(first.support, other.support)


def test_distances_are_taken_in_double_precision():
    # In single precision, 1 and 1 + 1e-8 are the same: every query would go to the first class.
    features = np.array([[1.0], [1.0], [1 + 1e-8], [1 + 1e-8]])
    draws = report_protocol.run(features, np.array([0, 0, 1, 1]), [0, 1], images_per_class=2, draws=5, seed=1)
    assert draws.confusions.sum(0).tolist() == [[5, 0], [0, 5]]
