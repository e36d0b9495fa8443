"""Pairs: their loss against a naive loop, how they are sampled, and their metrics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneshot.siamese.pairs import (
    all_pairs,
    balanced_mean,
    contrastive_loss,
    distances,
    evaluate_pairs,
    pair_metrics,
    sample_pairs,
)
from oneshot.training.tensorflow import tf


def naive_loss(first, second, same, margin):
    """The report's formula, one pair at a time, in plain Python."""
    losses = []
    for a, b, y in zip(first, second, same, strict=True):
        d = sum((float(x) - float(z)) ** 2 for x, z in zip(a, b, strict=True)) ** 0.5
        losses.append(y * d**2 / 2 + (1 - y) * max(0.0, margin - d) ** 2 / 2)
    return losses


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 20), st.integers(1, 5), st.floats(0.1, 5), st.integers(0, 2**31))
def test_loss_equals_naive_loop(count, dimensions, margin, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, count, dimensions)).astype(np.float32)
    same = rng.integers(2, size=count).astype(np.float32)
    ours = contrastive_loss(distances(first, second), same, margin)
    np.testing.assert_allclose(ours, naive_loss(first, second, same, margin), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("distance", "same", "loss", "slope"),
    [
        (0.0, 1.0, 0.0, 0.0),
        (0.0, 0.0, 2.0, -2.0),
        (2.0, 1.0, 2.0, 2.0),
        (2.0, 0.0, 0.0, 0.0),
        (3.0, 0.0, 0.0, 0.0),
        (3.0, 1.0, 4.5, 3.0),
        (0.5, 0.0, 1.125, -1.5),
    ],
)
def test_loss_and_its_slope_at_the_corners(distance, same, loss, slope):
    """Margin 2: at d = 0, d = m and d > m."""
    d = tf.constant([distance])
    with tf.GradientTape() as tape:
        tape.watch(d)
        value = contrastive_loss(d, tf.constant([same]), 2.0)
    assert value.numpy()[0] == pytest.approx(loss)
    assert tape.gradient(value, d).numpy()[0] == pytest.approx(slope)


@pytest.mark.parametrize("same", [0.0, 1.0])
def test_gradient_of_identical_embeddings_is_finite(same):
    point = tf.Variable([[0.3, -0.7]])
    with tf.GradientTape() as tape:
        loss = contrastive_loss(distances(point, tf.constant([[0.3, -0.7]])), tf.constant([same]), 1.0)
    assert np.array_equal(tape.gradient(loss, point), [[0.0, 0.0]])


def test_gradient_of_distance_is_the_unit_vector():
    first, second = tf.Variable([[3.0, 4.0]]), tf.constant([[0.0, 0.0]])
    with tf.GradientTape() as tape:
        distance = distances(first, second)
    np.testing.assert_allclose(tape.gradient(distance, first), [[0.6, 0.8]], rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(2, 9), min_size=2, max_size=5), st.integers(1, 300), st.integers(0, 2**31))
def test_pairs_are_balanced_true_and_of_two_images(sizes, count, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)) * 3, sizes))
    pairs, same = sample_pairs(labels, count, np.random.default_rng(seed))
    assert pairs.shape == (count, 2) and same.sum() == (count + 1) // 2
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert ((labels[pairs[:, 0]] == labels[pairs[:, 1]]) == (same == 1)).all()
    again, same_again = sample_pairs(labels, count, np.random.default_rng(seed))
    assert np.array_equal(pairs, again) and np.array_equal(same, same_again)


def test_pairs_reach_every_partner():
    labels = np.array([0, 1, 0, 2, 0, 1, 2])
    pairs, _ = sample_pairs(labels, 3000, np.random.default_rng(0))
    assert {tuple(pair) for pair in pairs.tolist()} == {(i, j) for i in range(7) for j in range(7) if i != j}


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 1, 1]])
def test_pairs_of_too_few_images_are_refused(labels):
    with pytest.raises(ValueError, match="pairs need"):
        sample_pairs(np.array(labels), 4, np.random.default_rng(0))


def test_metrics_of_pairs():
    distance = np.array([0.1, 0.9, 0.4, 1.5])
    metrics = pair_metrics(distance, np.array([1, 1, 0, 0]), margin=1.0)
    assert metrics["accuracy"] == 0.5
    assert metrics["auc"] == 0.75
    assert metrics["loss"] == pytest.approx((0.005 + 0.405 + 0.18 + 0) / 4)


def test_metrics_of_pairs_of_a_net_that_diverged_are_no_numbers():
    metrics = pair_metrics(np.array([0.1, np.nan, np.inf]), np.array([1, 1, 0]), margin=1.0)
    assert np.isnan(metrics["auc"])


def test_all_pairs_are_each_pair_once():
    rng = np.random.default_rng(0)
    embeddings, labels = rng.normal(size=(7, 2)).astype(np.float32), rng.integers(3, size=7)
    distance, same = all_pairs(tf.constant(embeddings), tf.constant(labels))
    expected = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    np.testing.assert_allclose(
        distance, [np.linalg.norm(embeddings[i] - embeddings[j]) for i, j in expected], rtol=1e-5
    )
    assert same.numpy().tolist() == [float(labels[i] == labels[j]) for i, j in expected]


@pytest.mark.parametrize(
    ("same", "mean"), [([1, 0, 0], (1 + (2 + 6) / 2) / 2), ([1, 1, 1], (1 + 2 + 6) / 3 / 2), ([0, 1, 0], (2 + 3.5) / 2)]
)
def test_balanced_mean_gives_both_kinds_the_same_weight(same, mean):
    value = balanced_mean(tf.constant([1.0, 2.0, 6.0]), tf.constant(same, tf.float32))
    assert float(value) == pytest.approx(mean)


def test_metrics_of_pairs_of_embeddings_are_those_of_their_distances():
    embeddings = np.array([[0.0, 0.0], [0.0, 0.1], [0.9, 0.0], [0.0, 1.5], [0.0, 0.4]])
    pairs = np.array([[0, 1], [0, 2], [0, 4], [3, 0]])
    same = np.array([1, 1, 0, 0])
    expected = pair_metrics(np.array([0.1, 0.9, 0.4, 1.5]), same, margin=1.0)
    assert evaluate_pairs(embeddings, pairs, same, 1.0) == pytest.approx(expected)
