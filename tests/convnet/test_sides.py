"""Nets for smaller images: moving to them and back keeps the net's function and its bytes."""

import numpy as np
import pytest

from oneshot.convnet import net
from oneshot.convnet.sides import move, net_of_side, resize
from oneshot.training.tensorflow import adam, keras, seed_initialisation, tf


@pytest.fixture(scope="module")
def model():
    seed_initialisation(1)
    return net.build(6, widths=((4, 4), (4, 4, 8)), units=8, batch_norm=True)


@pytest.mark.parametrize("side", [8, 16, 24])
@pytest.mark.parametrize("training", [False, True])
def test_a_net_of_a_smaller_side_gives_the_same_outputs(model, side, training):
    images = tf.constant(np.random.default_rng(0).normal(size=(5, side, side, 3)).astype(np.float32))
    small = net_of_side(model, side)
    move(model.variables, small.variables)
    expected = net.forward(model, images, training=training)
    np.testing.assert_allclose(net.forward(small, images, training=training), expected, rtol=1e-4, atol=1e-5)
    assert small.count_params() < model.count_params()


def test_a_net_of_a_smaller_side_computes_in_the_same_precision():
    model = net.build(6, widths=((4, 4), (4, 4, 8)), units=8, batch_norm=True, precision="bfloat16")
    policies = [layer.dtype_policy.name for layer in model.layers]
    assert [layer.dtype_policy.name for layer in net_of_side(model, 16).layers] == policies
    assert {"mixed_bfloat16", "float32"} == set(policies)


@pytest.mark.parametrize("cells", [2, 4, 6])
def test_moving_to_the_full_map_and_back_keeps_the_bytes(cells):
    kernel = np.random.default_rng(cells).normal(size=(cells * cells * 5, 3)).astype(np.float32)
    full = resize(kernel, 64 * 5)
    assert full.shape == (320, 3)
    assert resize(full, len(kernel)).tobytes() == kernel.tobytes()


def test_the_copies_of_a_cell_share_its_weight():
    kernel = np.arange(36, dtype=np.float32)[:, None]
    full = resize(kernel, 64).reshape(8, 8)
    places = [0, 1, 1, 2, 3, 4, 4, 5]
    for row in range(8):
        for column in range(8):
            copies = places.count(places[row]) * places.count(places[column])
            assert full[row, column] == kernel[6 * places[row] + places[column], 0] / copies


def test_moments_are_repeated_for_the_copies_of_a_cell_and_averaged_over_them():
    rng = np.random.default_rng(0)
    places = [0, 1, 1, 2, 3, 4, 4, 5]
    small, full = (rng.normal(size=(side * side * 5, 3)).astype(np.float32) for side in (6, 8))
    up, down = resize(small, 320, moments=True).reshape(8, 8, 15), resize(full, 180, moments=True).reshape(6, 6, 15)
    copies = {(row, column): [] for row in range(6) for column in range(6)}
    for row in range(8):
        for column in range(8):
            cell = places[row], places[column]
            np.testing.assert_array_equal(up[row, column], small.reshape(6, 6, 15)[cell])
            copies[cell].append(full.reshape(8, 8, 15)[row, column])
    for cell, values in copies.items():
        np.testing.assert_allclose(down[cell], np.mean(values, axis=0), rtol=1e-5, atol=1e-6)
    assert resize(resize(small, 320, moments=True), 180, moments=True).tobytes() == small.tobytes()


@pytest.mark.parametrize("side", [8, 16, 24])
def test_after_a_move_adam_steps_as_if_all_steps_had_been_on_the_full_net(side):
    """Steps at a smaller side that change the moments only, then one at side 32, against the same on the full net."""
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(4, at, at, 3)).astype(np.float32), rng.integers(6, size=4)) for at in (side, side, 32)]

    def step(model, optimizer, batch):
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch[1], net.forward(model, tf.constant(batch[0])))
            loss = tf.reduce_sum(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    def built(model, rate) -> keras.optimizers.Optimizer:
        optimizer = adam(rate)
        optimizer.build(model.trainable_variables)
        return optimizer

    seed_initialisation(1)
    naive = net.build(6, widths=((4, 4), (4, 4, 8)), units=8)
    moved = keras.models.clone_model(naive)
    moved.set_weights(naive.get_weights())
    small = net_of_side(moved, side)
    move(moved.variables, small.variables)
    of_naive, of_moved, of_small = (built(model, 0.0) for model in (naive, moved, small))
    for batch in batches[:2]:
        step(naive, of_naive, batch)
        step(small, of_small, batch)
    move(of_small.variables, of_moved.variables, moments=True)
    for optimizer in (of_naive, of_moved):
        optimizer.learning_rate.assign(0.01)
    step(naive, of_naive, batches[2])
    step(moved, of_moved, batches[2])
    for ours, theirs in zip(moved.get_weights(), naive.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
