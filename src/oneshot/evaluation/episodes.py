"""One-shot episodes: sample support images, classify all others by the nearest support, count the confusions.

Not by scikit-learn's NearestCentroid, which is fitted for one episode at a time: here many share a matrix product.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from oneshot.core import processor
from oneshot.core.errors import UserError
from oneshot.core.seeds import generator

# Scores that a thread holds at a time. Larger blocks do not make the matrix product faster.
_BLOCK_BYTES = 2**23


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
    """Sample the support images of many episodes: (episodes, ways, shots) int64, positions in the pool of images.

    labels: (n,), integers or names; classes: all are the ways of every episode, in this order; shots: distinct images
    per class. The same arguments give the same draws. Raises ValueError if there are fewer than two classes, or
    a class has no image left as a query.
    """
    if len(classes) < 2:
        raise ValueError(f"an episode needs two classes, not {len(classes)}")
    labels = np.asarray(labels)
    rng = generator(seed, purpose, len(classes), shots)
    support = np.empty((episodes, len(classes), shots), np.int64)
    for way, label in enumerate(classes):
        places = np.flatnonzero(labels == label)
        if len(places) <= shots:
            raise ValueError(f"class {label} has {len(places)} images, too few for {shots} shots and a query")
        support[:, way] = places[_distinct(rng, len(places), shots, episodes)]
    return support


def query_parts(labels: np.ndarray, classes: Sequence[int], queries: int, *, shots: int, seed: int) -> list[np.ndarray]:
    """Divide the images of the classes at random into parts with about `queries` of each class: positions (m,) int64.

    labels: (n,) integers; the parts have as equal a share of each class as possible, and no fewer images of it than are
    left for a query beside `shots` support images, which may be more than `queries`. If successive episodes classify
    successive parts (see `classify_episodes`), all images are used equally often, so a mean over episodes hardly
    differs from one in which each classifies all.
    """
    places = [np.flatnonzero(labels == label) for label in classes]
    most, fewest = max(map(len, places)), min(map(len, places))
    count = max(1, min(-(-most // queries), fewest // (shots + 1)))
    shuffled = [
        generator(seed, "queries", label).permutation(part) for label, part in zip(classes, places, strict=True)
    ]
    return [np.sort(np.concatenate([part[number::count] for part in shuffled])) for number in range(count)]


def classify_episodes(
    features: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[int],
    support: np.ndarray,
    queries: Sequence[np.ndarray] | None = None,
) -> np.ndarray:
    """Classify queries by Euclidean distance: confusion matrices, (episodes, ways, ways) int64.

    features: (n, d) float; distances have the same precision; labels: (n,) integers; support: from draw_episodes;
    queries: positions (m,) of images of the classes, of which episode i classifies queries[i % len(queries)]; None:
    each classifies all images of the classes. An episode's support images are never among its queries. A query is
    classified as the class whose support images have the nearest mean (with one shot: whose image is nearest); a tie
    goes to the first class. Rows are true classes, columns are predicted ones.
    """
    places = [np.flatnonzero(labels == label) for label in classes]
    order = np.concatenate(places)
    # Centring does not change distances, but smaller numbers lose fewer digits.
    pool = features - features[order].mean(0)
    confusions = np.empty((len(support), len(classes), len(classes)), np.int64)
    parts = [order] if queries is None else queries
    for number, part in enumerate(parts):
        chosen = [part[labels[part] == label] for label in classes]
        confusions[number :: len(parts)] = _of_part(pool, chosen, support[number :: len(parts)])
    return confusions


def _of_part(pool: np.ndarray, queries: Sequence[np.ndarray], support: np.ndarray) -> np.ndarray:
    """Classify the same queries, positions class by class, in all episodes: confusions (episodes, ways, ways) int64."""
    order = np.concatenate(queries)
    place = np.full(len(pool), -1)
    place[order] = np.arange(len(order))
    ends = np.cumsum([0, *map(len, queries)])
    asked = np.ascontiguousarray(pool[order].T)
    count, ways, _ = support.shape
    # A block is a number of episodes and of queries: with many classes one episode alone would be too large.
    width = max(1, min(len(order), _BLOCK_BYTES // (ways * pool.itemsize)))
    height = max(1, _BLOCK_BYTES // (ways * max(width, pool.shape[1]) * pool.itemsize))
    confusions = np.zeros((count, ways, ways), np.int64)

    def count_block(start: int) -> None:
        part = slice(start, start + height)
        anchors = _means(pool, support[part])
        known = place[support[part]].reshape(len(anchors), -1)
        for left in range(0, len(order), width):
            right = min(left + width, len(order))
            hits = _nearest(anchors, asked[:, left:right], np.where(known < right, known, -1) - left)
            cuts = np.clip(ends, left, right) - left
            for label in np.flatnonzero(np.diff(cuts)):
                a, b = cuts[label : label + 2]
                confusions[part, label] += np.count_nonzero(hits[:, :, a:b], axis=2)

    # Blocks in parallel, each on one thread: a product that BLAS splits over threads has different last digits.
    with ThreadPoolExecutor(processor.threads()) as threads, threadpool_limits(1):
        list(threads.map(count_block, range(0, count, height)))
    return confusions


def _means(pool: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Means of the support images of each way: (episodes, ways, d)."""
    total = pool[support[:, :, 0]]
    for shot in range(1, support.shape[2]):
        total += pool[support[:, :, shot]]
    return total / pool.dtype.type(support.shape[2])


def _nearest(anchors: np.ndarray, queries: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mark the nearest way of each query: anchors (episodes, ways, d), queries (d, n) -> (episodes, ways, n) bool.

    known: (episodes, k) positions of support images among the queries, which get no way; negative: not among them.
    """
    episodes, ways, size = anchors.shape
    # The nearest anchor p of a query q has the greatest q.p - |p|^2 / 2, since |q|^2 is the same for all of them.
    scores = (anchors.reshape(-1, size) @ queries).reshape(episodes, ways, -1)
    scores -= np.einsum("ewd,ewd->ew", anchors, anchors)[:, :, None] / 2
    best = scores.max(1)
    free = np.ones(best.shape, bool)
    rows, columns = np.nonzero(known >= 0)
    free[rows, known[rows, columns]] = False
    hits = np.empty(scores.shape, bool)
    for way in range(ways):
        hits[:, way] = (scores[:, way] == best) & free
        free &= ~hits[:, way]
    return hits


def _distinct(rng: np.random.Generator, n: int, size: int, rows: int) -> np.ndarray:
    """Sample `size` of 0 .. n - 1 without repetition in each row, in random order: (rows, size) int64."""
    sampled = np.empty((rows, size), np.int64)
    for column in range(size):
        # A rank among the numbers not yet sampled: skip each sampled one that is not greater, starting from the least.
        number = rng.integers(n - column, size=rows)
        for other in np.sort(sampled[:, :column], axis=1).T:
            number += number >= other
        sampled[:, column] = number
    return sampled
