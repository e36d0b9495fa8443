"""The pairs of images of different unseen classes that the net confuses most."""

import numpy as np

from oneshot.datasets import cifar10
from oneshot.page.results import Results
from oneshot.page.sheets import sheet

_PAIRS = 12
# Distances that are held at a time.
_BLOCK_BYTES = 2**26


def section(results: Results) -> dict:
    """Compute "pairs" among the images of the report's protocol, and the sheet "pairs" of their images."""
    features, labels, indices = results.unseen()
    pool = results.protocol.pool
    found = nearest_pairs(features[pool], labels[pool], _PAIRS)
    images = pool[np.array([pair[:2] for pair in found], int).ravel()]
    pairs = [
        {
            "tiles": [2 * place, 2 * place + 1],
            "labels": [int(labels[pool[end]]) for end in pair[:2]],
            "names": [cifar10.NAMES[labels[pool[end]]] for end in pair[:2]],
            "distance": pair[2],
        }
        for place, pair in enumerate(found)
    ]
    return {"pairs": pairs, "sheets": {"pairs": sheet(results.cifar10.images[indices[images]], 2)}}


def nearest_pairs(features: np.ndarray, labels: np.ndarray, count: int) -> list[tuple[int, int, float]]:
    """Find the nearest pairs of images of different classes: (position, position, distance), nearest first.

    features: (n, d) float; labels: (n,). No image is in two pairs, so that one odd image does not fill the list.
    """
    features = features.astype(np.float64)
    squares = (features**2).sum(1)
    near, first, second = np.empty(0), np.empty(0, int), np.empty(0, int)
    block = max(1, _BLOCK_BYTES // (len(features) * features.itemsize))
    for start in range(0, len(features), block):
        rows = np.arange(start, min(start + block, len(features)))[:, None]
        apart = squares[rows] + squares - 2 * features[rows[:, 0]] @ features.T
        a, b = np.nonzero((labels[rows] != labels) & (rows < np.arange(len(features))))
        near = np.concatenate([near, apart[a, b]])
        first, second = np.concatenate([first, a + start]), np.concatenate([second, b])
        order = np.argsort(near, kind="stable")[: 50 * count]
        near, first, second = near[order], first[order], second[order]
    # Exact distances of the candidates: the last digits of the product above depend on the number of threads.
    exact = np.sqrt(((features[first] - features[second]) ** 2).sum(1)).round(6)
    pairs: list[tuple[int, int, float]] = []
    used: set[int] = set()
    for distance, a, b in sorted(zip(exact.tolist(), first.tolist(), second.tolist(), strict=True)):
        if len(pairs) < count and not used & {a, b}:
            pairs.append((a, b, distance))
            used |= {a, b}
    return pairs
