"""The siamese net: its table, its loss against a naive loop, its pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneshot import siamese
from oneshot.device import keras, tf


def naive_loss(first, second, same, margin):
    """The report's formula, one pair at a time, in plain Python."""
    losses = []
    for a, b, y in zip(first, second, same, strict=True):
        d = sum((float(x) - float(z)) ** 2 for x, z in zip(a, b, strict=True)) ** 0.5
        losses.append(y * d**2 / 2 + (1 - y) * max(0.0, margin - d) ** 2 / 2)
    return losses


@pytest.mark.parametrize(("dimensions", "parameters"), [(2, 39_426), (3, 42_563)])
def test_layers_and_parameters(dimensions, parameters):
    model = siamese.build(dimensions, 0.25)
    assert model.count_params() == parameters
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert shapes == [
        (28, 28, 32), (14, 14, 32), (14, 14, 32), (14, 14, 64), (7, 7, 64), (7, 7, 64), (3136,), (dimensions,),
    ]  # fmt: skip
    assert model.get_layer("conv1").kernel.shape == (3, 3, 1, 32)
    assert model.get_layer("conv2").kernel.shape == (4, 4, 32, 64)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 20), st.integers(1, 5), st.floats(0.1, 5), st.integers(0, 2**31))
def test_loss_equals_naive_loop(count, dimensions, margin, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, count, dimensions)).astype(np.float32)
    same = rng.integers(2, size=count).astype(np.float32)
    ours = siamese.contrastive_loss(siamese.distances(first, second), same, margin)
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
        value = siamese.contrastive_loss(d, tf.constant([same]), 2.0)
    assert value.numpy()[0] == pytest.approx(loss)
    assert tape.gradient(value, d).numpy()[0] == pytest.approx(slope)


@pytest.mark.parametrize("same", [0.0, 1.0])
def test_gradient_of_identical_embeddings_is_finite(same):
    point = tf.Variable([[0.3, -0.7]])
    with tf.GradientTape() as tape:
        loss = siamese.contrastive_loss(siamese.distances(point, tf.constant([[0.3, -0.7]])), tf.constant([same]), 1.0)
    assert np.array_equal(tape.gradient(loss, point), [[0.0, 0.0]])


def test_gradient_of_distance_is_the_unit_vector():
    first, second = tf.Variable([[3.0, 4.0]]), tf.constant([[0.0, 0.0]])
    with tf.GradientTape() as tape:
        distance = siamese.distances(first, second)
    np.testing.assert_allclose(tape.gradient(distance, first), [[0.6, 0.8]], rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(2, 9), min_size=2, max_size=5), st.integers(1, 300), st.integers(0, 2**31))
def test_pairs_are_balanced_true_and_of_two_images(sizes, count, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)) * 3, sizes))
    pairs, same = siamese.draw_pairs(labels, count, np.random.default_rng(seed))
    assert pairs.shape == (count, 2) and same.sum() == (count + 1) // 2
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert ((labels[pairs[:, 0]] == labels[pairs[:, 1]]) == (same == 1)).all()
    again, same_again = siamese.draw_pairs(labels, count, np.random.default_rng(seed))
    assert np.array_equal(pairs, again) and np.array_equal(same, same_again)


def test_pairs_reach_every_partner():
    labels = np.array([0, 1, 0, 2, 0, 1, 2])
    pairs, _ = siamese.draw_pairs(labels, 3000, np.random.default_rng(0))
    assert {tuple(pair) for pair in pairs.tolist()} == {(i, j) for i in range(7) for j in range(7) if i != j}


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 1, 1]])
def test_pairs_of_too_few_images_are_refused(labels):
    with pytest.raises(ValueError, match="pairs need"):
        siamese.draw_pairs(np.array(labels), 4, np.random.default_rng(0))


def test_figures_of_pairs():
    distance = np.array([0.1, 0.9, 0.4, 1.5])
    figures = siamese.pair_figures(distance, np.array([1, 1, 0, 0]), margin=1.0)
    assert figures["accuracy"] == 0.5
    assert figures["auc"] == 0.75
    assert figures["loss"] == pytest.approx((0.005 + 0.405 + 0.18 + 0) / 4)


def test_all_pairs_are_each_pair_once():
    rng = np.random.default_rng(0)
    embeddings, labels = rng.normal(size=(7, 2)).astype(np.float32), rng.integers(3, size=7)
    distance, same = siamese.all_pairs(tf.constant(embeddings), tf.constant(labels))
    expected = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    np.testing.assert_allclose(
        distance, [np.linalg.norm(embeddings[i] - embeddings[j]) for i, j in expected], rtol=1e-5
    )
    assert same.numpy().tolist() == [float(labels[i] == labels[j]) for i, j in expected]


@pytest.mark.parametrize(
    ("same", "mean"), [([1, 0, 0], (1 + (2 + 6) / 2) / 2), ([1, 1, 1], (1 + 2 + 6) / 3 / 2), ([0, 1, 0], (2 + 3.5) / 2)]
)
def test_balanced_mean_gives_both_kinds_the_same_weight(same, mean):
    value = siamese.balanced_mean(tf.constant([1.0, 2.0, 6.0]), tf.constant(same, tf.float32))
    assert float(value) == pytest.approx(mean)


def test_shifts_stay_within_the_part_of_the_side_and_differ():
    images = np.zeros((200, 28, 28, 1), np.float32)
    images[:, 14, 9] = 1
    moved = siamese.shift_images(images, 0.1, np.random.default_rng(0)).numpy()[..., 0]
    np.testing.assert_allclose(moved.sum(axis=(1, 2)), 1, rtol=1e-4)
    places = np.arange(28)
    down = moved.sum(axis=2) @ places - 14
    right = moved.sum(axis=1) @ places - 9
    for way in (down, right):
        assert -2.8 <= way.min() < -2.5 and 2.5 < way.max() <= 2.8
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.2


def test_no_shift_is_the_image_itself():
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(siamese.shift_images(images, 0.0, np.random.default_rng(0)), images)


class Nowhere:
    """A checkpoint that keeps nothing."""

    def load(self):
        return None

    def save(self, *_):
        pass


@pytest.mark.parametrize("pairs", ["drawn", "in_batch"])
def test_training_separates_two_kinds_of_images(pairs):
    labels = np.arange(64, dtype=np.uint8) % 2
    images = np.zeros((64, 28, 28, 1), np.float32)
    images[labels == 1, :14] = 1
    digits = siamese.Digits(images, labels, np.arange(64))
    keras.utils.set_random_seed(0)
    history = siamese.train(
        siamese.build(2, 0.0), digits, digits, seed=1, margin=1.0, pairs=pairs, epochs=3, images_per_epoch=128,
        batch=32, learning_rate=0.003, shift=0.1, evaluation_pairs=100, checkpoint=Nowhere(), on_epoch=lambda row: None,
    )  # fmt: skip
    assert history[-1]["validation/accuracy"] == 1.0
    assert history[-1]["validation/loss"] < history[0]["train/loss"]
