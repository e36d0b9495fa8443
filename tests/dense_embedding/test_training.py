"""The dense embedding net's training, with any set of digits."""

import numpy as np
import pytest

from oneshot.core.images import LabelledImages
from oneshot.dense_embedding import net, training
from oneshot.dense_embedding.params import DenseEmbeddingParams
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.tensorflow import seed_initialisation

RECIPE = DenseEmbeddingParams(epochs=4, batch=16, learning_rate=0.01)


def three_kinds(digits):
    """Images of three digits, each bright in another third."""
    kinds = np.arange(96) % 3
    images = np.random.default_rng(0).random((96, 28, 28, 1), np.float32) / 4
    for kind in range(3):
        images[kinds == kind, 9 * kind : 9 * kind + 9] += 0.75
    return LabelledImages(images, np.array(digits, np.uint8)[kinds], np.arange(96)).relabelled(digits)


def train(folder, on_epoch=lambda metrics: None, digits=(0, 1, 2)):
    seed_initialisation(1)
    model, data = net.build(3), three_kinds(digits)
    checkpoint = Checkpoint(folder, "dense")
    return model, training.train(model, data, data, RECIPE, seed=1, checkpoint=checkpoint, on_epoch=on_epoch)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    """An uninterrupted training: the net, its history, and the rows that were reported."""
    rows = []
    return *train(tmp_path_factory.mktemp("whole"), rows.append), rows


def test_training_separates_three_digits(trained):
    check(*trained[1:])


@pytest.mark.parametrize("digits", [(5, 6, 7), pytest.param((9, 2, 4), marks=pytest.mark.long)])
def test_training_separates_three_digits_whichever_they_are(tmp_path, digits):
    rows = []
    check(train(tmp_path, rows.append, digits)[1], rows)


def check(history, rows):
    assert rows == history and len(history) == 4
    assert list(history[0]) == ["training/loss", "training/accuracy", "validation/loss", "validation/accuracy"]
    assert history[-1]["validation/accuracy"] == 1.0
    assert history[-1]["validation/loss"] < history[0]["training/loss"]


def test_a_resumed_training_ends_in_the_same_bytes(tmp_path, trained):
    expected, expected_history, _ = trained
    rows = []

    def interrupt(metrics):
        rows.append(metrics)
        if len(rows) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, interrupt)
    model, history = train(tmp_path)
    assert history == expected_history
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()
