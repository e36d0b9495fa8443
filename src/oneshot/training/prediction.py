"""Applying a net to many images in batches, and measuring its logits."""

from collections.abc import Callable

import numpy as np

from oneshot.core.progress import progress
from oneshot.training.tensorflow import tf


def embedder(model) -> Callable[[np.ndarray], np.ndarray]:
    """Make a function that applies a net to images: (n, ...) float32 -> (n, units) float32; it is compiled once."""
    forward = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
    return lambda images: in_batches(forward, images, 512, "embedding")


def in_batches(forward: Callable, images: np.ndarray, size: int, label: str) -> np.ndarray:
    """Apply a function of tensors to images (n, ...), `size` at a time, with a progress bar -> (n, ...).

    The last batch is padded with zeros, whose results are dropped: another size would be compiled again, and its last
    digits might depend on the processor.
    """
    results = []
    for start in progress(range(0, len(images), size), desc=label, unit="batch"):
        batch = images[start : start + size]
        batch = np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)])
        results.append(forward(tf.constant(batch)).numpy())
    return np.concatenate(results)[: len(images)]


def classification_metrics(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Mean cross-entropy (nats) and accuracy: logits (n, classes) float32, labels (n,) int in 0 .. classes - 1."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels.astype(np.int32), logits)
    return {"loss": float(np.mean(losses)), "accuracy": float(np.mean(logits.argmax(axis=1) == labels))}
