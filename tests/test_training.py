"""The epoch loop: an interrupted training ends in the same bytes; figures are weighted means."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from oneshot import training
from oneshot.checkpoint import Checkpoint
from oneshot.device import keras, tf
from oneshot.seeds import generator


class CutOff(Exception):
    """Stands for a killed process."""


def train(folder, *, epochs=5, die_in=None, rows=None):
    """A least-squares fit by Adam whose every step is random; dies in the middle of an epoch if asked."""
    optimizer = keras.optimizers.Adam(0.1)
    variable = keras.Variable(np.zeros((4, 1), np.float32), name="weight")
    optimizer.build([variable])

    def train_epoch(epoch):
        rng = generator(1, "data", epoch)
        for step in range(3):
            if die_in == epoch and step == 1:
                raise CutOff
            inputs = tf.constant(rng.normal(size=(8, 4)).astype(np.float32))
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(inputs @ tf.convert_to_tensor(variable) - 1))
            optimizer.apply_gradients(zip(tape.gradient(loss, [variable.value]), [variable], strict=True))
        return {"loss": float(loss)}

    checkpoint = Checkpoint(folder, "toy", "params")
    history = training.run_epochs(
        epochs=epochs,
        variables=[variable, *optimizer.variables],
        train_epoch=train_epoch,
        validate=lambda _epoch: {"norm": float(tf.norm(tf.convert_to_tensor(variable)))},
        checkpoint=checkpoint,
        on_epoch=(rows if rows is not None else []).append,
    )
    return variable.numpy(), history, checkpoint


def test_a_training_cut_off_twice_ends_as_one_left_in_peace(tmp_path, capsys):
    expected, expected_history, _ = train(tmp_path / "peace")
    for die_in in (2, 3):
        with pytest.raises(CutOff):
            train(tmp_path / "cut", die_in=die_in)
    rows = []
    capsys.readouterr()
    weights, history, checkpoint = train(tmp_path / "cut", rows=rows)
    assert "resuming after epoch 3 of 5" in capsys.readouterr().out
    assert weights.tobytes() == expected.tobytes()
    assert history == rows == expected_history
    assert checkpoint.load()[0] == 5


def test_rows_name_their_part_and_follow_the_epochs(tmp_path):
    _, history, _ = train(tmp_path, epochs=2)
    assert [set(row) for row in history] == [{"train/loss", "validation/norm"}] * 2


def test_averages_are_weighted_by_count():
    batches = [(tf.constant([1.0, 2.0, 3.0]),), (tf.constant([10.0]),)]
    figures = training.average_over(
        batches, lambda x: {"count": tf.size(x), "value": tf.reduce_mean(x)}, total=2, label="averaging"
    )
    assert figures == {"value": 4.0}


def test_judge_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(50, 4)).astype(np.float32), rng.integers(4, size=50)
    figures = training.judge(logits, labels)
    assert figures["accuracy"] == accuracy_score(labels, logits.argmax(axis=1))
    assert figures["loss"] == pytest.approx(log_loss(labels, tf.nn.softmax(logits).numpy(), labels=range(4)), rel=1e-5)


def test_embedding_in_batches_is_embedding_at_once():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    inputs = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    np.testing.assert_allclose(training.embedder(model)(inputs), model(inputs), rtol=1e-6)
    sizes = []

    def forward(batch):
        sizes.append(len(batch))
        return model(batch)

    np.testing.assert_allclose(training.in_batches(forward, inputs, 3, "test"), model(inputs), rtol=1e-6)
    assert sizes == [3, 3, 3]


def test_dropout_follows_from_seed_and_epoch_alone():
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dropout(0.5), keras.layers.Dropout(0.5)])
    ones = tf.ones((1, 100))

    def masks(seed, epoch):
        training.seed_dropout(model, seed, epoch)
        return model(ones, training=True).numpy()

    first = masks(1, 3)
    model(ones, training=True)
    assert np.array_equal(masks(1, 3), first)
    assert not np.array_equal(masks(1, 4), first) and not np.array_equal(masks(2, 3), first)
