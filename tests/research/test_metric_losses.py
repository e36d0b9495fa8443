"""Each loss of the baselines against a naive loop."""

import metric_losses
import numpy as np
import pytest
from scipy.special import log_softmax

from oneshot.training.tensorflow import tf


@pytest.fixture
def batch():
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.repeat([0, 1, 2], 7)).astype(np.int32)
    return rng.normal(size=(21, 4)).astype(np.float32), labels, rng.normal(size=(4, 3)).astype(np.float32)


def value(loss, batch):
    return float(loss(*map(tf.constant, batch)))


def test_cosine_head(batch):
    embeddings, labels, kernel = batch
    losses = []
    for row, label in zip(embeddings, labels, strict=True):
        cosines = [row @ weight / np.linalg.norm(row) / np.linalg.norm(weight) for weight in kernel.T]
        losses.append(-log_softmax(metric_losses.SCALE * np.array(cosines))[label])
    np.testing.assert_allclose(value(metric_losses.cosine_head, batch), np.mean(losses), rtol=1e-5)


def test_supervised_contrastive(batch):
    embeddings, labels, _ = batch
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    losses = []
    for i in range(len(labels)):
        others = [j for j in range(len(labels)) if j != i]
        logs = log_softmax([unit[i] @ unit[j] / metric_losses.TEMPERATURE for j in others])
        losses.append(-np.mean([log for j, log in zip(others, logs, strict=True) if labels[j] == labels[i]]))
    np.testing.assert_allclose(value(metric_losses.supervised_contrastive, batch), np.mean(losses), rtol=1e-5)


def test_prototypical(batch):
    embeddings, labels, _ = batch
    support = {label: np.flatnonzero(labels == label)[: metric_losses.SHOTS] for label in range(3)}
    prototypes = np.array([embeddings[support[label]].mean(0) for label in range(3)])
    queries = [i for i in range(len(labels)) if i not in np.concatenate(list(support.values()))]
    losses = [-log_softmax(-((embeddings[i] - prototypes) ** 2).sum(1))[labels[i]] for i in queries]
    assert len(queries) == 6
    np.testing.assert_allclose(value(metric_losses.prototypical, batch), np.mean(losses), rtol=1e-4)
