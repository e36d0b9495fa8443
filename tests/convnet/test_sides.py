"""Nets for smaller images: moving to them and back keeps the net's function and its bytes."""

import numpy as np
import pytest

from oneshot.convnet import net
from oneshot.convnet.sides import move, net_of_side, resize
from oneshot.training.tensorflow import seed_initialisation, tf


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
