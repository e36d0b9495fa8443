"""The siamese net's training: two kinds of images are separated, and an interruption changes nothing."""

import numpy as np
import pytest

from oneshot.core.images import LabelledImages
from oneshot.core.seeds import generator
from oneshot.siamese import net, training
from oneshot.siamese.pairs import pair_metrics, sample_pairs
from oneshot.siamese.params import Recipe
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.tensorflow import seed_initialisation

RECIPE = Recipe(
    margin=1.0,
    epochs=3,
    images_per_epoch=128,
    batch=32,
    learning_rate=0.003,
    dropout=0.1,
    shift=0.1,
    evaluation_pairs=100,
)


def two_kinds():
    labels = np.arange(64, dtype=np.uint8) % 2
    images = np.zeros((64, 28, 28, 1), np.float32)
    images[labels == 1, :14] = 1
    return LabelledImages(images, labels, np.arange(64))


def train(folder, on_epoch=lambda metrics: None):
    seed_initialisation(1)
    model, digits = net.build(2, RECIPE.dropout), two_kinds()
    checkpoint = Checkpoint(folder, "siamese")
    return model, training.train(model, digits, digits, RECIPE, seed=1, checkpoint=checkpoint, on_epoch=on_epoch)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    """An uninterrupted training: the net, its history, and the rows that were reported."""
    rows = []
    return *train(tmp_path_factory.mktemp("whole"), rows.append), rows


def test_training_separates_two_kinds_of_images(trained):
    _, history, rows = trained
    assert rows == history and len(history) == 3
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


def test_the_metrics_of_a_part_are_those_of_its_own_pairs():
    rng = np.random.default_rng(0)
    embeddings, labels = rng.normal(size=(40, 2)), np.arange(40) % 3
    metrics = training.part_metrics(embeddings, labels, "seen_test", RECIPE, seed=5)
    pairs, same = sample_pairs(labels, 100, generator(5, "seen_test pairs"))
    distance = np.array([np.sqrt(((embeddings[a] - embeddings[b]) ** 2).sum()) for a, b in pairs])
    assert metrics == pytest.approx(pair_metrics(distance, same, RECIPE.margin))
    assert metrics != training.part_metrics(embeddings, labels, "unseen_test", RECIPE, seed=5)
