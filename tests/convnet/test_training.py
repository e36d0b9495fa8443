"""The recipe: batches, shrinking, schedules and the step, on a tiny net if the full one is not needed."""

import functools
import itertools
from pathlib import Path

import numpy as np
import pytest

from oneshot.convnet import losses, net, training
from oneshot.convnet.muon import Muon
from oneshot.convnet.params import ConvnetParams
from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.tensorflow import keras, seed_initialisation, tf

ROOT = Path(__file__).parents[2]
DEFAULT = params.read(ROOT)["convnet"]
REPORT = {
    "batch": 32,
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "schedule": "constant",
    "l2_penalty": 1e-4,
    "label_smoothing": 0.0,
    "batch_norm": False,
    "whitening_filters": False,
}
STILL = DEFAULT["recipe"]["augmentation"] | {"width_shift": 0.0, "height_shift": 0.0, "flip": "none"}


def recipe(six_class=None, feature_norm_penalty=0.0, dense_classification_loss=0.0, **changes):
    """The default recipe of the 6-class net, with some changes."""
    schedule = DEFAULT["resolution_schedule"] | ({"six_class": six_class} if six_class else {})
    weights = {"feature_norm_penalty": feature_norm_penalty, "dense_classification_loss": dense_classification_loss}
    weights = {name: DEFAULT[name] | {"six_class": weight} for name, weight in weights.items()}
    tree = DEFAULT | {"resolution_schedule": schedule, "recipe": DEFAULT["recipe"] | changes} | weights
    return ConvnetParams.model_validate(tree).recipe_of("6-class")


def small_images(count=20):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)


def test_an_epoch_shows_each_image_once_and_another_epoch_in_another_order():
    images = LabelledImages(small_images(), np.arange(20), np.arange(20))
    augmentation = recipe(augmentation=STILL).augmentation

    def epoch(seed, number):
        batches = list(training.epoch_batches(images, 6, 32, augmentation, seed, number))
        assert [tuple(x.shape) for x, _ in batches] == [(6, 32, 32, 3)] * 3
        return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])

    shown, order = epoch(1, 0)
    assert len(set(order.tolist())) == 18
    for image, label in zip(shown, order, strict=True):
        np.testing.assert_allclose(image, net.standardize(images.images[label]), atol=1e-5)
    again, order_again = epoch(1, 0)
    assert np.array_equal(again, shown) and np.array_equal(order_again, order)
    assert not np.array_equal(epoch(1, 1)[1], order) and not np.array_equal(epoch(2, 0)[1], order)


@pytest.mark.parametrize("side", [16, 24, 32])
def test_shrinking_is_the_area_mean(side):
    images = small_images(2).astype(np.float32)
    # Area means by way of a grid that both sides divide.
    fine = np.repeat(np.repeat(images, side, axis=1), side, axis=2)
    expected = fine.reshape(2, side, 32, side, 32, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(net.shrink(tf.constant(images), side), expected, rtol=1e-4)


def test_a_step_descends_the_penalized_smoothed_loss():
    """One SGD step of rate 1 against Keras's own losses and regularizer."""
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.AveragePooling2D(4, name=net.LAST_MAPS),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu", name="representation"),
            keras.layers.Dense(4, name="logits"),
        ]
    )
    start = [weight.copy() for weight in model.get_weights()]
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(6, 32, 32, 3)).astype(np.float32), rng.integers(4, size=6).astype(np.int32)
    chosen = recipe(
        feature_norm_penalty=0.7, dense_classification_loss=0.6, **REPORT | {"l2_penalty": 0.03, "label_smoothing": 0.2}
    )
    cells = losses.cell_classifier(model)
    assert cells.shape == (3, 4)
    start.append(cells.numpy())
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build([*model.trainable_variables, cells])
    step = training.make_step(model, optimizer, chosen, cells=cells)
    metrics = step(tf.constant(images), tf.constant(labels))

    w, b, w2, b2, w3 = variables = [tf.Variable(weight) for weight in start]
    maps = images.reshape(6, 8, 4, 8, 4, 3).mean(axis=(2, 4))
    with tf.GradientTape() as tape:
        units = tf.nn.relu(maps.reshape(6, -1) @ w + b)
        logits = units @ w2 + b2
        entropy = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
        loss = entropy(tf.one_hot(labels, 4), logits) + keras.regularizers.L2(0.03)(w) + keras.regularizers.L2(0.03)(w2)
        middle = units.numpy().mean(axis=0)
        distances = [tf.norm(unit - middle) for unit in tf.unstack(units)]
        usual = np.mean([distance.numpy() for distance in distances])
        loss += 0.7 * sum((distance / usual - 1) ** 2 for distance in distances) / 6
        loss += keras.regularizers.L2(0.03)(w3)
        for row, column in itertools.product(range(8), repeat=2):
            loss += 0.6 / 64 * entropy(tf.one_hot(labels, 4), maps[:, row, column] @ w3)
    after = [*model.get_weights(), cells.numpy()]
    for ours, before, slope in zip(after, start, tape.gradient(loss, variables), strict=True):
        np.testing.assert_allclose(ours, before - slope, rtol=1e-4, atol=1e-5)
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    assert float(metrics["loss"]) == pytest.approx(float(plain), rel=1e-5)
    assert float(metrics["accuracy"]) == pytest.approx(np.mean(logits.numpy().argmax(axis=1) == labels))
    assert int(metrics["count"]) == 6


def test_the_reports_recipe_is_plain_adam_without_schedule_or_batch_norm():
    chosen = recipe(**REPORT)
    model = training.build(6, chosen, "plain")
    assert not any(isinstance(layer, net.Normalization) for layer in model.layers)
    optimizer = training.make_optimizer(model, chosen, 100)
    assert isinstance(optimizer, keras.optimizers.Adam) and float(optimizer.learning_rate) == pytest.approx(1e-4)


def test_the_net_is_built_as_the_recipe_and_the_convolution_say():
    model = training.build(6, recipe(dropout_maps=0.1, dropout_flatten=0.2, dropout_units=0.3), "winograd")
    assert isinstance(model.get_layer("conv2"), net.Convolution)
    assert isinstance(model.get_layer("conv2_norm"), net.Normalization)
    assert [model.get_layer(f"dropout{i}").rate for i in range(1, 5)] == [0.1, 0.1, 0.2, 0.3]


def test_bfloat16_is_refused_where_it_would_be_slow(monkeypatch):
    monkeypatch.setattr(training, "has_gpu", lambda: False)
    monkeypatch.setattr(training.processor, "instructions", lambda: ["avx2", "avx512f"])
    training.check_precision("float32")
    with pytest.raises(UserError, match=r"set compute\.precision in params\.yaml to float32"):
        training.check_precision("bfloat16")
    monkeypatch.setattr(training.processor, "instructions", lambda: ["avx512_bf16"])
    training.check_precision("bfloat16")


def test_muon_takes_the_convolutions_after_the_first():
    model = training.build(6, recipe(), "auto")
    optimizer = training.make_optimizer(model, recipe(), 100)
    assert isinstance(optimizer, Muon)
    assert optimizer.muon_paths == {model.get_layer(f"conv{i}").kernel.path for i in range(2, 6)}


def test_whitening_fills_the_first_filters_and_leaves_the_rest():
    model = training.build(6, recipe(), "auto")
    before = model.get_layer("conv1").kernel.numpy()
    training.whiten(model, small_images(50))
    after = model.get_layer("conv1").kernel.numpy()
    assert not np.array_equal(after[..., :54], before[..., :54])
    np.testing.assert_array_equal(after[..., 54:], before[..., 54:])


def tiny(classes=2):
    """A small net of blurred images, which takes smaller ones as the ConvNet does."""
    layers = [
        keras.Input((32, 32, 3)),
        keras.layers.AveragePooling2D(4, name=net.LAST_MAPS),
        keras.layers.Flatten(name="flatten"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(8, activation="relu", name="representation"),
        keras.layers.Dense(classes, kernel_initializer="zeros", name="logits"),
    ]
    return keras.Sequential(layers)


def two_kinds():
    """Images of the classes 7 and 9, bright above or below."""
    labels = np.arange(64, dtype=np.uint8) % 2 * 2 + 7
    images = np.random.default_rng(0).integers(0, 100, (64, 32, 32, 3)).astype(np.uint8)
    images[labels == 7, :16] += 100
    images[labels == 9, 16:] += 100
    return LabelledImages(images, labels, np.arange(64)).relabelled([7, 9])


def narrow():
    return net.build(2, widths=((4, 4), (4, 4, 8)), units=8, batch_norm=True)


def train(folder, on_epoch=lambda metrics: None, build=tiny, dense_classification_loss=0.0):
    seed_initialisation(1)
    model, data = build(), two_kinds()
    chosen = recipe(
        [[16, 2], [32, 1]],
        dense_classification_loss=dense_classification_loss,
        **REPORT | {"batch": 16, "learning_rate": 0.003},
    )
    checkpoint = Checkpoint(folder, "tiny")
    history = training.train(model, data, data, chosen, seed=1, checkpoint=checkpoint, on_epoch=on_epoch)
    return model, history


# The options of the trainings that several tests look at.
KINDS = {"tiny": {}, "narrow": {"build": narrow, "dense_classification_loss": 1.0}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    """A function that gives the net and the history of an uninterrupted training of KINDS, each trained once."""
    return functools.cache(lambda kind: train(tmp_path_factory.mktemp(kind), **KINDS[kind]))


def test_training_separates_two_kinds_of_images(trained):
    _, history = trained("tiny")
    assert len(history) == 3
    assert list(history[0]) == ["training/loss", "training/accuracy", "validation/loss", "validation/accuracy"]
    assert history[-1]["validation/accuracy"] == 1.0
    assert history[-1]["validation/loss"] < history[0]["validation/loss"] < np.log(2)


def test_a_diverging_training_names_the_rate_and_the_weights_that_are_not_0(tmp_path):
    seed_initialisation(1)
    model, data, given = tiny(), two_kinds(), {"seed": 1, "on_epoch": lambda metrics: None}
    model.get_layer("logits").bias.assign([np.nan, 0.0])
    for weights, named in (
        ({}, "0.003"),
        ({"feature_norm_penalty": 3.0}, "0.003, or this net's convnet.feature_norm_penalty, which is 3"),
        (
            {"feature_norm_penalty": 3.0, "dense_classification_loss": 0.5},
            "0.003, or this net's convnet.feature_norm_penalty, which is 3,"
            " or this net's convnet.dense_classification_loss, which is 0.5",
        ),
    ):
        chosen = recipe([[16, 1]], **weights, **REPORT | {"batch": 16, "learning_rate": 0.003})
        with pytest.raises(UserError) as caught:
            training.train(model, data, data, chosen, checkpoint=Checkpoint(tmp_path, "tiny"), **given)
        assert str(caught.value).endswith(f"lower convnet.recipe.learning_rate, which is {named}")


@pytest.mark.parametrize(("schedule", "frozen"), [([[8, 1], [16, 1]], True), ([[16, 2]], False)])
def test_whitening_filters_stay_and_the_last_of_several_phases_leaves_the_first_convolutions(
    tmp_path, schedule, frozen
):
    seed_initialisation(1)
    model, data = narrow(), two_kinds()
    names = [f"conv{number}{part}" for number in (1, 2, 3) for part in ("", "_norm")]
    seen = []

    def remember(_):
        seen.append({name: [weight.numpy() for weight in model.get_layer(name).trainable_weights] for name in names})

    chosen = recipe(schedule, batch=16, frozen=2)
    training.train(model, data, data, chosen, seed=1, checkpoint=Checkpoint(tmp_path, "tiny"), on_epoch=remember)
    first, last = seen
    for name in names:
        same = all(np.array_equal(a, b) for a, b in zip(first[name], last[name], strict=True))
        assert same == ("conv1" in name or (frozen and "conv2" in name)), name
    assert not np.array_equal(model.get_layer("conv1_norm").mean, np.zeros(4))


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_training_ends_in_the_same_bytes(tmp_path, trained, kind):
    (expected, expected_history), options = trained(kind), KINDS[kind]

    def interrupt(metrics):
        rows.append(metrics)
        if len(rows) == 2:
            raise KeyboardInterrupt

    rows = []
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, interrupt, **options)
    model, history = train(tmp_path, **options)
    assert history == expected_history
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()


def test_the_dense_classification_loss_changes_the_convolutions(tmp_path, trained):
    without, with_it = train(tmp_path, build=narrow)[0], trained("narrow")[0]
    kernels = [model.get_layer("conv5").kernel.numpy() for model in (without, with_it)]
    assert not np.array_equal(*kernels)
