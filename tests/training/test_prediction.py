"""Applying a net: in batches as at once, and with scikit-learn's metrics of its logits."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from oneshot.training import prediction
from oneshot.training.tensorflow import keras, tf


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_classification_metrics_equal_scikit_learn(dtype):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(50, 4)).astype(np.float32), rng.integers(4, size=50).astype(dtype)
    metrics = prediction.classification_metrics(logits, labels)
    assert metrics["accuracy"] == accuracy_score(labels, logits.argmax(axis=1))
    assert metrics["loss"] == pytest.approx(log_loss(labels, tf.nn.softmax(logits).numpy(), labels=range(4)), rel=1e-5)


def test_embedding_in_batches_is_embedding_at_once():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    inputs = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    np.testing.assert_allclose(prediction.embedder(model)(inputs), model(inputs), rtol=1e-6)
    sizes = []

    def forward(batch):
        sizes.append(len(batch))
        return model(batch)

    np.testing.assert_allclose(prediction.in_batches(forward, inputs, 3, "test"), model(inputs), rtol=1e-6)
    assert sizes == [3, 3, 3]


def test_every_batch_has_the_same_size_however_few_the_images():
    sizes = []

    def forward(batch):
        sizes.append(len(batch))
        return batch

    assert prediction.in_batches(forward, np.arange(4.0), 500, "test").tolist() == [0, 1, 2, 3]
    assert sizes == [500]


def test_an_embedder_does_not_drop_units():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5)])
    assert prediction.embedder(model)(np.ones((40, 3), np.float32)).min() == 1
