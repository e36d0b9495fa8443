"""The fast convolution against the built-in one: values, both gradients, odd batches, every side that training uses."""

import numpy as np
import pytest

from oneshot.convnet.winograd import convolve
from oneshot.training.tensorflow import tf


def built_in(images, kernel):
    return tf.nn.conv2d(images, kernel, 1, "SAME")


def with_gradients(convolution, images, kernel, d_out):
    with tf.GradientTape() as tape:
        tape.watch((images, kernel))
        out = convolution(images, kernel)
    return (out, *tape.gradient(out, (images, kernel), d_out))


def example(n, side, c, k):
    rng = np.random.default_rng(7)
    shapes = (n, side, side, c), (3, 3, c, k), (n, side, side, k)
    return [tf.constant(rng.standard_normal(shape), tf.float32) for shape in shapes]


@pytest.mark.parametrize(
    ("n", "side", "c", "k"), [(1, 4, 1, 1), (5, 8, 4, 6), (4, 16, 7, 3), (3, 24, 5, 8), (7, 32, 3, 4)]
)
def test_values_and_gradients_equal_the_built_in(n, side, c, k):
    images, kernel, d_out = example(n, side, c, k)
    expected = with_gradients(built_in, images, kernel, d_out)
    for actual, reference in zip(with_gradients(convolve, images, kernel, d_out), expected, strict=True):
        assert actual.shape == reference.shape
        assert np.max(np.abs(actual - reference)) < 1e-3 * np.std(reference)


def test_unknown_batch_size_in_a_graph():
    graph = tf.function(convolve, input_signature=[tf.TensorSpec((None, 8, 8, 4)), tf.TensorSpec((3, 3, 4, 6))])
    for n in (1, 3):
        images, kernel, _ = example(n, 8, 4, 6)
        np.testing.assert_allclose(graph(images, kernel), built_in(images, kernel), atol=1e-3)


def test_gradients_inside_a_graph():
    images, kernel, d_out = example(3, 8, 4, 6)
    graph = tf.function(lambda i, k, d: with_gradients(convolve, i, k, d))
    expected = with_gradients(built_in, images, kernel, d_out)
    for actual, reference in zip(graph(images, kernel, d_out), expected, strict=True):
        np.testing.assert_allclose(actual, reference, atol=1e-3 * np.std(reference))


def test_same_bytes_every_time():
    images, kernel, d_out = example(5, 16, 8, 8)
    first, second = (with_gradients(convolve, images, kernel, d_out) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()


@pytest.mark.parametrize("shape", [(2, 6, 6, 3), (2, 8, 4, 3)])
def test_sides_it_cannot_do_are_refused(shape):
    with pytest.raises(ValueError, match="multiple of 4"):
        convolve(tf.zeros(shape), tf.zeros((3, 3, 3, 2)))


def test_kernels_it_cannot_do_are_refused():
    with pytest.raises(ValueError, match="kernel"):
        convolve(tf.zeros((2, 8, 8, 3)), tf.zeros((5, 5, 3, 2)))
