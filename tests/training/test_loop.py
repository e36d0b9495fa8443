"""The epoch loop: an interrupted training ends with the same bytes; metrics are weighted means."""

import numpy as np
import pytest

from oneshot.core.errors import UserError
from oneshot.core.seeds import generator
from oneshot.training import loop
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.tensorflow import keras, tf


class Killed(Exception):
    """Stands for a killed process."""


def train(folder, *, epochs=5, die_in=None, rows=None):
    """A least-squares fit by Adam with random steps; it can be made to die in the middle of an epoch."""
    optimizer = keras.optimizers.Adam(0.1)
    variable = keras.Variable(np.zeros((4, 1), np.float32), name="weight")
    optimizer.build([variable])

    def train_epoch(epoch):
        rng = generator(1, "data", epoch)
        for step in range(3):
            if die_in == epoch and step == 1:
                raise Killed
            inputs = tf.constant(rng.normal(size=(8, 4)).astype(np.float32))
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(inputs @ tf.convert_to_tensor(variable) - 1))
            optimizer.apply_gradients(zip(tape.gradient(loss, [variable.value]), [variable], strict=True))
        return {"loss": float(loss)}

    checkpoint = Checkpoint(folder, "toy", "params")
    history = loop.run_epochs(
        epochs=epochs,
        variables=[variable, *optimizer.variables],
        train_epoch=train_epoch,
        validate=lambda _epoch: {"norm": float(tf.norm(tf.convert_to_tensor(variable)))},
        checkpoint=checkpoint,
        rate="toy.learning_rate, which is 0.1",
        on_epoch=(rows if rows is not None else []).append,
    )
    return variable.numpy(), history, checkpoint


def test_a_training_interrupted_twice_ends_in_the_same_bytes(tmp_path, capsys):
    expected, expected_history, _ = train(tmp_path / "whole")
    for die_in in (2, 3):
        with pytest.raises(Killed):
            train(tmp_path / "interrupted", die_in=die_in)
    rows = []
    capsys.readouterr()
    weights, history, checkpoint = train(tmp_path / "interrupted", rows=rows)
    assert "resuming after epoch 3 of 5" in capsys.readouterr().out
    assert weights.tobytes() == expected.tobytes()
    assert history == rows == expected_history
    assert checkpoint.restore()[0] == 5


@pytest.mark.parametrize("change", [lambda arrays: arrays[:-1], lambda arrays: [arrays[0].T, *arrays[1:]]])
def test_a_checkpoint_of_another_net_is_reported_and_not_used(tmp_path, capsys, change):
    expected, expected_history, _ = train(tmp_path / "whole", epochs=2)
    _, _, checkpoint = train(tmp_path / "other", epochs=1)
    epoch, arrays, history = checkpoint.restore()
    checkpoint.save(epoch, change(arrays), history)
    weights, found, _ = train(tmp_path / "other", epochs=2)
    assert f"{checkpoint.path.name} is of another net: starting over" in capsys.readouterr().err
    assert weights.tobytes() == expected.tobytes() and found == expected_history


def test_the_metrics_of_an_epoch_name_their_part(tmp_path):
    _, history, _ = train(tmp_path, epochs=2)
    assert [set(row) for row in history] == [{"training/loss", "validation/norm"}] * 2


def test_a_training_that_diverges_ends_in_a_sentence_that_names_the_rate_and_keeps_no_checkpoint(tmp_path):
    checkpoint, rows = Checkpoint(tmp_path, "toy", "params"), []
    with pytest.raises(UserError, match=r"diverged in epoch 3: validation/loss is nan; lower toy\.learning_rate"):
        loop.run_epochs(
            epochs=5,
            variables=[],
            train_epoch=lambda epoch: {"loss": 1.0},
            validate=lambda epoch: {"loss": float("nan") if epoch == 2 else 1.0},
            checkpoint=checkpoint,
            rate="toy.learning_rate, which is 0.1",
            on_epoch=rows.append,
        )
    assert len(rows) == 2 and checkpoint.restore() is None


def test_averages_are_weighted_by_count():
    batches = [(tf.constant([1.0, 2.0, 3.0]),), (tf.constant([10.0]),)]
    metrics = loop.average_over(
        batches, lambda x: {"count": tf.size(x), "value": tf.reduce_mean(x)}, total=2, label="averaging"
    )
    assert metrics == {"value": 4.0}


def test_dropout_follows_from_seed_and_epoch_alone():
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dropout(0.5), keras.layers.Dropout(0.5)])
    ones = tf.ones((1, 100))

    def masks(seed, epoch):
        loop.seed_dropout(model, seed, epoch)
        return model(ones, training=True).numpy()

    first = masks(1, 3)
    model(ones, training=True)
    assert np.array_equal(masks(1, 3), first)
    assert not np.array_equal(masks(1, 4), first) and not np.array_equal(masks(2, 3), first)
