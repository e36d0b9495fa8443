"""The ConvNet: its table, images of every side, and the folding of batch norm."""

import numpy as np
import pytest

from oneshot.convnet import net
from oneshot.training.tensorflow import keras, tf

TABLE = [
    ("conv1", (32, 32, 100), 2_800),
    ("conv2", (32, 32, 100), 90_100),
    ("pool1", (16, 16, 100), 0),
    ("dropout1", (16, 16, 100), 0),
    ("conv3", (16, 16, 200), 180_200),
    ("conv4", (16, 16, 200), 360_200),
    ("conv5", (16, 16, 400), 720_400),
    ("pool2", (8, 8, 400), 0),
    ("dropout2", (8, 8, 400), 0),
    ("flatten", (25_600,), 0),
    ("dropout3", (25_600,), 0),
    ("representation", (600,), 15_360_600),
    ("dropout4", (600,), 0),
]


@pytest.mark.parametrize(("classes", "head", "total"), [(6, 3_606, 16_717_906), (10, 6_010, 16_720_310)])
def test_layers_and_parameters(classes, head, total):
    model = net.build(classes)
    layers = [(layer.name, tuple(layer.output.shape[1:]), layer.count_params()) for layer in model.layers]
    assert layers == [*TABLE, ("logits", (classes,), head)]
    assert model.count_params() == total
    assert all(model.get_layer(f"conv{i}").kernel.shape[:2] == (3, 3) for i in range(1, 6))


def test_a_narrow_net_has_the_same_layers():
    model = net.build(3, widths=((4, 6), (8, 10, 12)), units=20)
    assert [layer.name for layer in model.layers] == [name for name, _, _ in TABLE] + ["logits"]
    assert [model.get_layer(f"conv{i}").kernel.shape[-1] for i in range(1, 6)] == [4, 6, 8, 10, 12]
    assert model.get_layer("logits").kernel.shape == (20, 3)
    assert [weight.shape for weight in net.fold(model).weights] == [weight.shape for weight in model.weights]


# Where no width matters: the full net takes ten times as long.
NARROW = {"widths": ((8, 8), (8, 8, 12)), "units": 20}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def normed():
    """A net with batch norm, in which no variable has its initial value."""
    keras.utils.set_random_seed(0)
    model = net.build(6, batch_norm=True)
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, net.Normalization):
            size = layer.offset.shape
            layer.offset.assign(rng.normal(0, 0.3, size))
            layer.mean.assign(rng.normal(0, 0.3, size))
            layer.variance.assign(rng.uniform(0.5, 2, size))
    return model


@pytest.mark.parametrize("until", ["representation", "logits"])
def test_a_folded_net_gives_the_same_outputs(normed, images, until):
    inputs = net.standardize(images)
    before = net.forward(normed, inputs, until=until)
    folded = net.fold(normed)
    assert folded.count_params() == 16_717_906
    after = net.forward(folded, inputs, until=until)
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-4 * np.abs(before).max())


@pytest.mark.parametrize("until", ["pool1", "representation"])
def test_the_layers_after_another_take_its_outputs(normed, images, until):
    inputs = net.standardize(images)
    outputs = net.forward(normed, inputs, until=until)
    np.testing.assert_array_equal(net.forward(normed, outputs, after=until), net.forward(normed, inputs))


def test_folding_a_net_without_batch_norm_copies_it():
    model = net.build(6, **NARROW)
    for ours, theirs in zip(net.fold(model).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("side", [16, 24, 32])
@pytest.mark.parametrize("fast", [False, True])
def test_every_side_reaches_the_logits(side, fast):
    model = net.build(6, batch_norm=True, fast=fast, **NARROW)
    assert net.forward(model, tf.zeros((3, side, side, 3)), training=True).shape == (3, 6)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("side", [16, 32])
def test_bfloat16_gives_about_the_same_logits_and_keeps_the_weights_in_float32(side, batch_norm):
    images = tf.constant(np.random.default_rng(0).normal(size=(3, side, side, 3)).astype(np.float32))
    full, half = (net.build(6, batch_norm=batch_norm, precision=precision) for precision in ("float32", "bfloat16"))
    half.set_weights(full.get_weights())
    assert half.get_layer("conv2").compute_dtype == "bfloat16"
    assert {weight.dtype for weight in half.weights} == {"float32"}
    expected, ours = (net.forward(model, images, training=True) for model in (full, half))
    assert ours.dtype == tf.float32
    np.testing.assert_allclose(ours, expected, atol=0.1 * np.abs(expected).max())
    assert not np.array_equal(ours, expected)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("side", [8, 16, 24])
def test_a_smaller_map_counts_as_the_one_enlarged_to_8x8_by_the_nearest_cells(side, batch_norm):
    model = net.build(6, batch_norm=batch_norm, **NARROW)
    images = tf.constant(np.random.default_rng(0).normal(size=(3, side, side, 3)).astype(np.float32))
    maps = net.forward(model, images, until="dropout2")
    assert maps.shape == (3, side // 4, side // 4, 12)
    enlarged = tf.image.resize(maps, (8, 8), method="nearest")
    expected = model.get_layer("representation")(tf.reshape(enlarged, (3, -1)))
    if batch_norm:
        expected = model.get_layer("representation_norm")(expected)
    ours = net.forward(model, images, until="representation")
    np.testing.assert_allclose(ours, expected, atol=1e-4 * np.abs(expected).max())


def test_normalization_is_keras_batch_norm_and_relu(images):
    ours, theirs = net.Normalization(), keras.layers.BatchNormalization(momentum=0.98, epsilon=1e-5, scale=False)
    x = np.random.default_rng(0).normal(2, 3, (64, 8, 8, 5)).astype(np.float32)
    np.testing.assert_allclose(ours(x, training=True), tf.nn.relu(theirs(x, training=True)), atol=1e-5)
    np.testing.assert_allclose(ours.mean, theirs.moving_mean, rtol=1e-4)
    # The fused operation remembers the unbiased variance.
    np.testing.assert_allclose(ours.variance, theirs.moving_variance, rtol=1e-3)
    np.testing.assert_allclose(ours(x), tf.nn.relu(theirs(x)), rtol=1e-3, atol=1e-3)
