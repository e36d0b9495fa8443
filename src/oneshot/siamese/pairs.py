"""Pairs of images: their distances, the contrastive loss, and the metrics of many pairs."""

import math

import numpy as np
from sklearn.metrics import roc_auc_score

from oneshot.training.tensorflow import tf


def distances(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Euclidean distances between corresponding rows: (n, d), (n, d) -> (n,); the gradient at distance 0 is 0."""
    squares = tf.reduce_sum(tf.square(first - second), axis=-1)
    apart = squares > 0
    return tf.where(apart, tf.sqrt(tf.where(apart, squares, 1.0)), 0.0)


def contrastive_loss(distance: tf.Tensor, same: tf.Tensor, margin: float) -> tf.Tensor:
    """Contrastive loss of each pair: y d^2 / 2 + (1 - y) max(0, margin - d)^2 / 2 (report, section MNIST).

    distance: (n,); same: (n,) float, y = 1 for a pair of the same digit, 0 for a pair of two digits -> (n,).
    """
    pull = tf.square(distance) / 2
    push = tf.square(tf.maximum(0.0, margin - distance)) / 2
    return same * pull + (1 - same) * push


def all_pairs(embeddings: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pair each embedding with each other one: (n, d), (n,) int -> distance, same: (n (n - 1) / 2,) float32 each."""
    count = tf.shape(labels)[0]
    first, second = tf.unstack(tf.where(tf.range(count)[:, None] < tf.range(count)), axis=1)
    distance = distances(tf.gather(embeddings, first), tf.gather(embeddings, second))
    return distance, tf.cast(tf.equal(tf.gather(labels, first), tf.gather(labels, second)), tf.float32)


def balanced_mean(values: tf.Tensor, same: tf.Tensor) -> tf.Tensor:
    """Mean over pairs, with equal weight on pairs of the same digit and pairs of two digits: (p,), (p,) -> scalar."""
    positive = tf.math.divide_no_nan(tf.reduce_sum(values * same), tf.reduce_sum(same))
    negative = tf.math.divide_no_nan(tf.reduce_sum(values * (1 - same)), tf.reduce_sum(1 - same))
    return (positive + negative) / 2


def sample_pairs(labels: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sample pairs of different images, half of the same digit and half of two digits, in random order.

    labels: (n,); count: number of pairs -> positions (count, 2) int64 and same (count,) float32.
    Raises ValueError if there are not two classes or a class has a single image.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    if len(classes) < 2 or sizes.min() < 2:
        raise ValueError(f"pairs need two classes of two images each, but the counts are {sizes.tolist()}")
    order = np.argsort(labels, kind="stable")
    rank = np.searchsorted(classes, labels)
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))

    same = (np.arange(count) % 2 == 0).astype(np.float32)
    first = rng.integers(len(labels), size=count)
    size, begin = sizes[rank[first]], start[rank[first]]
    # A partner is 1..size-1 places further in the class, or at any place behind the class; both wrap around.
    inside = (place[first] - begin + 1 + rng.integers(size - 1)) % size + begin
    outside = (begin + size + rng.integers(len(labels) - size)) % len(labels)
    second = order[np.where(same == 1, inside, outside)]
    shuffle = rng.permutation(count)
    return np.stack([first, second], axis=1)[shuffle], same[shuffle]


def pair_metrics(distance: np.ndarray, same: np.ndarray, margin: float) -> dict[str, float]:
    """Loss, accuracy and area under the ROC curve of pairs: distance (n,), same (n,) -> metrics.

    A pair is classified as the same digit if its distance is below margin / 2, halfway between the distances that the
    loss aims at. The area under the curve needs no threshold; it is nan if a distance is not finite.
    """
    loss = contrastive_loss(tf.constant(distance, tf.float32), tf.constant(same, tf.float32), margin)
    return {
        "loss": float(np.mean(loss)),
        "accuracy": float(np.mean((distance < margin / 2) == (same == 1))),
        "auc": float(roc_auc_score(same, -distance)) if np.isfinite(distance).all() else math.nan,
    }


def evaluate_pairs(embeddings: np.ndarray, pairs: np.ndarray, same: np.ndarray, margin: float) -> dict[str, float]:
    """Metrics of pairs of embeddings: (n, d), positions (p, 2), same (p,) -> see pair_metrics."""
    distance = np.linalg.norm(embeddings[pairs[:, 0]] - embeddings[pairs[:, 1]], axis=1)
    return pair_metrics(distance, same, margin)
