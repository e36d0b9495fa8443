"""The recipe: batches, shrinking, schedules and the step, on a tiny net where the full one is not the point."""

import numpy as np
import pytest
from pydantic import ValidationError

from oneshot import convnet, convnet_training, params
from oneshot.convnet_params import ConvnetParams
from oneshot.device import keras, tf
from oneshot.muon import Muon

DEFAULT = params.read()["convnet"]
REPORT = DEFAULT | {
    "batch": 32,
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "schedule": "constant",
    "weight_penalty": 1e-4,
    "label_smoothing": 0.0,
    "batch_norm": False,
    "whitening": False,
}


def recipe(**changes):
    return ConvnetParams.model_validate(DEFAULT | changes)


def small_images(count=20):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)


def test_each_net_has_its_own_stretches_of_epochs():
    epochs = recipe(epochs={"ten_class": [[16, 2], [24, 1]], "six_class": [[32, 2]]}).epochs
    assert epochs.sides("10-class") == [16, 16, 24]
    assert epochs.sides("6-class") == [32, 32]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"epochs": {"ten_class": [[20, 1]], "six_class": [[32, 1]]}}, "multiple of 8"),
        ({"epochs": {"ten_class": [[32, 1]], "six_class": []}}, "at least 1 item"),
        ({"epochs": {"ten_class": [[32, 0]], "six_class": [[32, 1]]}}, "greater than or equal to 1"),
        ({"optimizer": "muon", "batch_norm": False}, "needs convnet.batch_norm"),
        ({"optimizer": "sgd"}, "'adam' or 'muon'"),
    ],
)
def test_impossible_recipes_are_refused(changes, rule):
    with pytest.raises(ValidationError, match=rule):
        recipe(**changes)


def test_an_epoch_shows_each_image_once_and_another_epoch_in_another_order():
    images, labels = small_images(), np.arange(20)
    still = DEFAULT["augmentation"] | {"width_shift": 0.0, "height_shift": 0.0, "flip": "none"}
    augmentation = recipe(augmentation=still).augmentation

    def epoch(seed, number):
        batches = list(convnet_training.epoch_batches(images, labels, 6, 32, augmentation, seed, number))
        assert [tuple(x.shape) for x, _ in batches] == [(6, 32, 32, 3)] * 3
        return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])

    shown, order = epoch(1, 0)
    assert len(set(order.tolist())) == 18
    for image, label in zip(shown, order, strict=True):
        np.testing.assert_allclose(image, convnet.standardize(images[label]), atol=1e-5)
    again, order_again = epoch(1, 0)
    assert np.array_equal(again, shown) and np.array_equal(order_again, order)
    assert not np.array_equal(epoch(1, 1)[1], order) and not np.array_equal(epoch(2, 0)[1], order)


@pytest.mark.parametrize("side", [16, 24, 32])
def test_shrinking_is_the_area_mean(side):
    images = small_images(2).astype(np.float32)
    # Area means by way of a grid that both sides divide.
    fine = np.repeat(np.repeat(images, side, axis=1), side, axis=2)
    expected = fine.reshape(2, side, 32, side, 32, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(convnet.shrink(tf.constant(images), side), expected, rtol=1e-4)


def tiny(classes=4):
    return keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(classes, name="logits")]
    )


def test_step_descends_the_penalized_smoothed_loss():
    """One SGD step of rate 1 against Keras's own losses and regularizer."""
    model = tiny()
    kernel, bias = (weight.copy() for weight in model.get_weights())
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(6, 8, 8, 3)).astype(np.float32), rng.integers(4, size=6).astype(np.int32)
    chosen = ConvnetParams.model_validate(REPORT | {"weight_penalty": 0.03, "label_smoothing": 0.2})
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build(model.trainable_variables)
    step = convnet_training.make_step(model, optimizer, chosen)
    figures = step(tf.constant(images), tf.constant(labels))

    w, b = tf.Variable(kernel), tf.Variable(bias)
    with tf.GradientTape() as tape:
        logits = images.reshape(6, -1) @ w + b
        entropy = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
        loss = entropy(tf.one_hot(labels, 4), logits) + keras.regularizers.L2(0.03)(w)
    for ours, before, slope in zip(model.get_weights(), (kernel, bias), tape.gradient(loss, [w, b]), strict=True):
        np.testing.assert_allclose(ours, before - slope, rtol=1e-4, atol=1e-5)
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    assert float(figures["loss"]) == pytest.approx(float(plain), rel=1e-5)
    assert float(figures["accuracy"]) == pytest.approx(np.mean(logits.numpy().argmax(axis=1) == labels))


def test_the_reports_recipe_is_plain_adam_without_schedule_or_batch_norm():
    chosen = ConvnetParams.model_validate(REPORT)
    model = convnet_training.build(6, chosen)
    assert not any(isinstance(layer, convnet.Normalization) for layer in model.layers)
    optimizer = convnet_training.make_optimizer(model, chosen, 100)
    assert isinstance(optimizer, keras.optimizers.Adam) and float(optimizer.learning_rate) == pytest.approx(1e-4)


def test_muon_takes_the_convolutions_after_the_first():
    model = convnet_training.build(6, recipe())
    optimizer = convnet_training.make_optimizer(model, recipe(), 100)
    assert isinstance(optimizer, Muon)
    assert optimizer.muon_paths == {model.get_layer(f"conv{i}").kernel.path for i in range(2, 6)}


def test_whitening_fills_the_first_filters_and_leaves_the_rest():
    model = convnet_training.build(6, recipe())
    before = model.get_layer("conv1").kernel.numpy()
    convnet_training.whiten(model, small_images(50))
    after = model.get_layer("conv1").kernel.numpy()
    assert not np.array_equal(after[..., :54], before[..., :54])
    np.testing.assert_array_equal(after[..., 54:], before[..., 54:])
