"""Transductive few-shot classification: the unlabelled queries of an episode help to place the class means.

Soft k-means over support images and queries (Ren et al. 2018, "Meta-learning for semi-supervised few-shot
classification"), with assignments that Sinkhorn's algorithm balances so that each class gets the same share of the
images (Cuturi 2013; Hu et al. 2021, PT-MAP). So it uses two things that a single query does not have: all other
queries, and that all classes are equally frequent.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from oneshot.core import processor
from oneshot.evaluation.confusion import confusion_matrix
from oneshot.evaluation.methods import MOVE, SCALINGS, STEPS, TEMPERATURE

# Shares that a thread holds at a time, in several copies. Larger blocks do not make the matrix products faster.
_BLOCK_BYTES = 2**22


def classify_together(
    features: np.ndarray, labels: np.ndarray, classes: Sequence[int], support: np.ndarray
) -> np.ndarray:
    """Classify all queries of each episode together: confusion matrices, (episodes, ways, ways) int64.

    features: (n, d) float, of unit length; labels: (n,) integers; support: from episodes.draw_episodes. The queries are
    those of classify_episodes. A query is classified as the class that has the greatest share of it at the end.
    """
    places = [np.flatnonzero(labels == label) for label in classes]
    order = np.concatenate(places)
    place = np.full(len(labels), -1)
    place[order] = np.arange(len(order))
    pool, support = features[order], place[support]
    true = np.repeat(np.arange(len(classes)), [len(part) for part in places])

    size = max(1, _BLOCK_BYTES // (len(classes) * len(pool) * pool.itemsize))

    def count_block(start: int) -> list[np.ndarray]:
        block = support[start : start + size]
        counts = []
        for predicted, known in zip(assign(pool, block).argmax(1), block.reshape(len(block), -1), strict=True):
            query = np.ones(len(pool), bool)
            query[known] = False
            counts.append(confusion_matrix(true[query], predicted[query], len(classes)))
        return counts

    # One thread per block: a product that BLAS splits over threads has different last digits.
    with ThreadPoolExecutor(processor.threads()) as threads, threadpool_limits(1):
        return np.concatenate(list(threads.map(count_block, range(0, len(support), size))))


def assign(pool: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Share each image out among the classes: (episodes, ways, n) of the dtype of `pool`; an image's shares sum to 1.

    pool: (n, d) float, all images of the classes; support: (episodes, ways, shots) positions in it.
    """
    episodes, ways, shots = support.shape
    means = pool[support].mean(2)
    known = np.eye(ways, dtype=pool.dtype).repeat(shots, 1)[None]
    for _ in range(STEPS):
        shares = _balanced(pool, means)
        np.put_along_axis(shares, support.reshape(episodes, 1, -1), known, axis=2)
        placed = (shares.reshape(-1, len(pool)) @ pool).reshape(means.shape) / shares.sum(2)[:, :, None]
        means += pool.dtype.type(MOVE) * (placed - means)
    return _balanced(pool, means)


def _balanced(pool: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Share images out by their distances to class means (episodes, ways, d), the same to each class in sum."""
    episodes, ways, size = means.shape
    shares = (means.reshape(-1, size) @ pool.T).reshape(episodes, ways, -1)
    # |q - m|^2 without |q|^2, which is the same for all classes.
    shares -= np.einsum("ewd,ewd->ew", means, means)[:, :, None] / 2
    shares *= pool.dtype.type(2 / TEMPERATURE)
    shares -= shares.max(1, keepdims=True)
    np.exp(shares, out=shares)
    # Sinkhorn's algorithm scales classes and images in turn; only the factors change, by matrix products.
    of_image = np.ones((episodes, len(pool), 1), pool.dtype)
    of_class = np.ones((episodes, 1, ways), pool.dtype)
    for _ in range(SCALINGS):
        of_class = 1 / (shares @ of_image).transpose(0, 2, 1)
        of_image = 1 / (of_class @ shares).transpose(0, 2, 1)
    shares *= of_class.transpose(0, 2, 1)
    shares *= of_image.transpose(0, 2, 1)
    return shares
