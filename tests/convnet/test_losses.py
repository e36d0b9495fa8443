"""What the ConvNets' training adds to the cross-entropy, against NumPy."""

import numpy as np
import pytest
from scipy.special import log_softmax

from oneshot.convnet import losses, net, sides
from oneshot.training.tensorflow import tf


def test_the_norm_spread_is_that_of_the_distances_from_the_mean():
    values = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    lengths = np.linalg.norm(values - values.mean(axis=0), axis=1)
    spread = float(losses.feature_norm_spread(tf.constant(values)))
    assert spread == pytest.approx(np.var(lengths) / np.mean(lengths) ** 2, rel=1e-4)
    assert float(losses.feature_norm_spread(tf.constant(50 * values + 3))) == pytest.approx(spread, rel=1e-3)
    assert float(losses.feature_norm_spread(tf.constant([[1.0, 2], [3, 2], [2, 1], [2, 3]]))) == pytest.approx(
        0, abs=1e-6
    )


def test_the_norm_spread_of_equal_representations_has_a_finite_gradient():
    same = tf.ones((3, 4))
    with tf.GradientTape() as tape:
        tape.watch(same)
        spread = losses.feature_norm_spread(same)
    assert float(spread) == 0 and np.all(tape.gradient(spread, same).numpy() == 0)


def test_the_cell_entropy_is_the_mean_over_images_and_cells():
    rng = np.random.default_rng(0)
    maps, kernel = rng.normal(size=(5, 3, 3, 7)).astype(np.float32), rng.normal(size=(7, 4)).astype(np.float32)
    targets = rng.dirichlet(np.ones(4), size=5).astype(np.float32)
    expected = np.mean(
        [
            -sum(target * log_softmax(maps[image, row, column] @ kernel))
            for image, target in enumerate(targets)
            for row in range(3)
            for column in range(3)
        ]
    )
    entropy = losses.dense_classification_entropy(tf.constant(maps), tf.constant(kernel), tf.constant(targets))
    assert float(entropy) == pytest.approx(expected, rel=1e-5)
    rounded = losses.dense_classification_entropy(
        tf.constant(maps, tf.bfloat16), tf.constant(kernel), tf.constant(targets)
    )
    assert rounded.dtype == tf.float32 and float(rounded) == pytest.approx(expected, rel=1e-2)


def test_the_classifier_of_cells_has_an_input_for_each_channel_and_an_output_for_each_class():
    model = net.build(6, widths=((60, 8), (8, 8, 12)), units=10)
    for of_side in (model, sides.net_of_side(model, 16)):
        assert losses.cell_classifier(of_side).shape == (12, 6)
