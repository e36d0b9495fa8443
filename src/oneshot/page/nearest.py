"""One-shot classification in integers, so that Python and the page's JavaScript always agree, even on ties."""

from collections.abc import Sequence

import numpy as np


def quantize(vectors: np.ndarray) -> np.ndarray:
    """Round vectors to integers of 8 bits: (n, d) float -> (n, d) uint8.

    One offset and one scale for all units, so that distances keep their proportions.
    """
    low, high = float(vectors.min()), float(vectors.max())
    scale = 255 / max(high - low, 1e-12)
    return np.rint((vectors.astype(np.float64) - low) * scale).astype(np.uint8)


def classify(codes: np.ndarray, supports: Sequence[int]) -> np.ndarray:
    """Find the nearest support of each image by Euclidean distance: (n,) int64, positions in `supports`.

    codes: (n, d) integers; supports: position in codes of one image per class. A tie goes to the first support; a
    support itself is not a query and gets -1.
    """
    codes = codes.astype(np.int64)
    squares = np.stack([((codes - codes[support]) ** 2).sum(1) for support in supports])
    nearest = squares.argmin(0)
    nearest[list(supports)] = -1
    return nearest
