"""One-shot classification in integers, so that Python and the page's JavaScript always agree, even on ties."""

from collections.abc import Sequence

import numpy as np

# Squared distances of 600 units of 8 bits, or 3 of 16, stay far below 2^53, up to which both are exact.
DTYPES = {8: np.dtype("<u1"), 16: np.dtype("<u2")}


def quantize(vectors: np.ndarray, bits: int) -> np.ndarray:
    """Round vectors to integers of 8 or 16 bits: (n, d) float -> (n, d) uint8 or uint16.

    One offset and one scale for all units, so that distances keep their proportions.
    """
    low, high = float(vectors.min()), float(vectors.max())
    scale = (2**bits - 1) / max(high - low, 1e-12)
    return np.rint((vectors.astype(np.float64) - low) * scale).astype(DTYPES[bits])


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
