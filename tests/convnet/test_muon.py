"""The optimizer of the default recipe, against plain NumPy and against Keras's SGD."""

import numpy as np
import pytest

from oneshot.convnet import muon
from oneshot.training.tensorflow import keras, tf


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (20, 20)])
def test_orthogonalized_matrix_has_singular_values_near_one(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    close = muon.orthogonalize(tf.constant(matrix), 5).numpy()
    values = np.linalg.svd(close, compute_uv=False)
    assert values.min() > 0.5 and values.max() < 1.3
    # The singular vectors stay: what is near to U V^T is positive along each of them.
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    assert np.all(np.diag(left.T @ close @ right.T) > 0.5)


def test_muon_step_is_the_formula():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 4, 8)).astype(np.float32)
    gradients = rng.normal(size=(2, 3, 3, 4, 8)).astype(np.float32)
    variable = keras.Variable(kernel, name="kernel")
    optimizer = muon.Muon(0.05, muon_paths={variable.path}, multiples={})
    optimizer.build([variable])
    buffer = np.zeros_like(kernel)
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
        buffer = 0.6 * buffer + gradient
        update = (gradient + 0.6 * buffer).reshape(36, 8).T
        x = update / np.linalg.norm(update)
        for _ in range(muon.Muon.STEPS):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        kernel = kernel * np.sqrt(8) / np.linalg.norm(kernel) - 0.05 * x.T.reshape(kernel.shape)
    np.testing.assert_allclose(variable.numpy(), kernel, rtol=1e-4, atol=1e-5)


def test_other_variables_follow_nesterov_sgd():
    start = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    ours, theirs = keras.Variable(start, name="ours"), keras.Variable(start, name="theirs")
    optimizer = muon.Muon(0.1, muon_paths=set(), multiples={})
    reference = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    optimizer.build([ours])
    for step in range(4):
        gradient = tf.constant(np.random.default_rng(step).normal(size=(5, 3)).astype(np.float32))
        optimizer.apply_gradients([(gradient, ours)])
        reference.apply_gradients([(gradient, theirs)])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)


def test_a_multiple_applies_to_its_variable_only():
    gradient = tf.constant([1.0, -2.0])
    plain, faster = keras.Variable([0.0, 0.0], name="plain"), keras.Variable([0.0, 0.0], name="faster")
    common = {"muon_paths": set()}
    optimizer = muon.Muon(0.1, **common, multiples={faster.path: 8.0})
    optimizer.build([plain, faster])
    optimizer.apply_gradients([(gradient, plain), (gradient, faster)])
    np.testing.assert_allclose(faster.numpy(), 8 * plain.numpy(), rtol=1e-6)


def test_triangle_rises_to_the_peak_and_falls_to_nearly_nothing():
    rates = np.array([float(muon.Triangle(0.4, 100, 0.25)(step)) for step in range(100)])
    assert rates.argmax() in (24, 25) and rates.max() == pytest.approx(0.4, rel=0.05)
    assert np.all(np.diff(rates[:25]) > 0) and np.all(np.diff(rates[26:]) < 0)
    assert 0 < rates[-1] < 0.01 and 0 < rates[0] < 0.04


def test_no_warmup_starts_at_the_peak():
    assert float(muon.Triangle(0.4, 100, 0.0)(0)) == pytest.approx(0.4, rel=0.02)
