"""One-shot episodes: draw support images, classify all others by the nearest support, count the confusions."""

import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from oneshot.core.errors import UserError
from oneshot.core.seeds import generator

# Scores that a thread holds at a time. Larger blocks do not make the matrix product faster.
_BLOCK_BYTES = 2**26


def require_images(labels: np.ndarray, classes: Sequence[int], count: int, key: str, limit_key: str) -> None:
    """Raise UserError, naming both parameters, if a class has fewer than `count` images.

    key: the parameter that asks for them; limit_key: the parameter that limits the images of a class.
    """
    for label in classes:
        present = int(np.count_nonzero(labels == label))
        if present < count:
            raise UserError(
                f"class {label} has {present} images, but {key} asks for {count}: lower {key} or raise {limit_key}"
            )


def require_features(features: np.ndarray, net: str) -> None:
    """Raise UserError if features (n, d) are all (nearly) the same, too far apart, or not finite.

    In float32 a squared distance below about 1e-38 is 0, and one above 1e38 infinite; scikit-learn's t-SNE crashes if
    all are 0.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.square(features.astype(np.float64) - features[0]).sum(1).max()
    # This far inside the range, sums over all features and means over all images stay in it too.
    if not 1e-30 < largest < 1e30:
        raise UserError(
            f"the representations by the {net} net are all (nearly) the same, too far apart, or not finite, so it has"
            " learned nothing: lower its learning rate and train it again"
        )


def choose_images(
    labels: np.ndarray, classes: Sequence[int], per_class: int, seed: int, purpose: str = "chosen images"
) -> np.ndarray:
    """Choose the same number of images of each class at random: positions (classes * per_class,) int64, class by class.

    labels: (n,) integers; raises ValueError if a class has too few images.
    """
    chosen = []
    for label in classes:
        places = np.flatnonzero(labels == label)
        chosen.append(np.sort(generator(seed, purpose, label).choice(places, per_class, replace=False)))
    return np.concatenate(chosen)


def draw_episodes(
    labels: np.ndarray, classes: Sequence[int], *, episodes: int, shots: int, seed: int, purpose: str = "episodes"
) -> np.ndarray:
    """Draw the support images of many episodes: (episodes, ways, shots) int64, positions in the pool of images.

    labels: (n,) integers of the pool; classes: all are the ways of every episode, in this order; shots: distinct images
    per class. The same arguments give the same draws. Raises ValueError if there are fewer than two classes, or
    a class has no image left as a query.
    """
    if len(classes) < 2:
        raise ValueError(f"an episode needs two classes, not {len(classes)}")
    rng = generator(seed, purpose, len(classes), shots)
    support = np.empty((episodes, len(classes), shots), np.int64)
    for way, label in enumerate(classes):
        places = np.flatnonzero(labels == label)
        if len(places) <= shots:
            raise ValueError(f"class {label} has {len(places)} images, too few for {shots} shots and a query")
        support[:, way] = places[_distinct(rng, len(places), shots, episodes)]
    return support


def evaluate(features: np.ndarray, labels: np.ndarray, classes: Sequence[int], support: np.ndarray) -> np.ndarray:
    """Classify all queries by Euclidean distance: confusion matrices, (episodes, ways, ways) int64.

    features: (n, d) float; distances have the same precision; labels: (n,) integers; support: from draw_episodes.
    The queries of an episode are all images of the classes except its support images. A query is classified as the
    class whose support images have the nearest mean (with one shot: whose image is nearest); a tie goes to the first
    class. Rows are predictions, columns are references.
    """
    order = np.concatenate([np.flatnonzero(labels == label) for label in classes])
    place = np.full(len(labels), -1)
    place[order] = np.arange(len(order))
    ends = np.cumsum([np.count_nonzero(labels == label) for label in classes])
    # Centring does not change distances, but smaller numbers lose fewer digits.
    pool = features[order] - features[order].mean(0)
    support = place[support]

    count, ways, shots = support.shape
    size = ways * max(len(pool), shots * pool.shape[1]) * pool.itemsize
    block = max(1, _BLOCK_BYTES // size)
    confusions = np.zeros((count, ways, ways), np.int64)

    def count_block(start: int) -> None:
        part = slice(start, start + block)
        hits = _nearest(pool, support[part])
        for way in range(ways):
            counts = [np.count_nonzero(hits[:, way, a:b], axis=1) for a, b in itertools.pairwise([0, *ends])]
            confusions[part, way] = np.stack(counts, axis=1)

    # Blocks in parallel, each on one thread: a product that BLAS splits over threads has different last digits.
    with ThreadPoolExecutor(os.cpu_count()) as pool_of_threads, threadpool_limits(1):
        list(pool_of_threads.map(count_block, range(0, count, block)))
    return confusions


def _nearest(pool: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Mark the nearest way of each image: (episodes, ways, n) bool; support images have none."""
    episodes, ways, _ = support.shape
    anchors = pool[support].mean(2).reshape(-1, pool.shape[1])
    # The nearest anchor p of a query q has the greatest q.p - |p|^2 / 2, since |q|^2 is the same for all of them.
    scores = anchors @ pool.T
    scores -= np.einsum("ij,ij->i", anchors, anchors)[:, None] / 2
    scores = scores.reshape(episodes, ways, len(pool))
    best = scores.max(1)
    free = np.ones(best.shape, bool)
    np.put_along_axis(free, support.reshape(episodes, -1), False, axis=1)
    hits = np.empty(scores.shape, bool)
    for way in range(ways):
        hits[:, way] = (scores[:, way] == best) & free
        free &= ~hits[:, way]
    return hits


def _distinct(rng: np.random.Generator, n: int, size: int, rows: int) -> np.ndarray:
    """Draw `size` of 0 .. n - 1 without repetition in each row, in random order: (rows, size) int64."""
    drawn = np.empty((rows, size), np.int64)
    for column in range(size):
        # A rank among the numbers not yet drawn: skip each drawn one that is not greater, starting from the least.
        number = rng.integers(n - column, size=rows)
        for other in np.sort(drawn[:, :column], axis=1).T:
            number += number >= other
        drawn[:, column] = number
    return drawn
