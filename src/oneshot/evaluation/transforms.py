"""Transforms of features before distances are computed: the usual ones of the few-shot literature, by name."""

import numpy as np

# Each method is a sequence of steps. Sources: centring and unit length are CL2N of SimpleShot (Wang et al. 2019); the
# power transform with centring is that of PT-MAP (Hu et al. 2021). "mirror" averages the features of an image and its
# mirror image (test-time averaging). "centre_queries" subtracts the mean of all images of the unseen classes, including
# the unlabelled queries, so it is transductive.
METHODS = {
    "raw": (),
    "unit": ("unit",),
    "centred": ("centre", "unit"),
    "power": ("power", "unit"),
    "power_centred": ("power", "unit", "centre", "unit"),
    "mirror": ("mirror",),
    "mirror_centred": ("mirror", "centre", "unit"),
    "standardised": ("power", "unit", "standardise", "unit"),
    "transductive": ("power", "unit", "centre_queries", "unit"),
}
_EXPONENT = 0.5  # of the power transform, as in PT-MAP


def represent(method: str, unseen: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Transform the features of unseen classes by one of METHODS: (n, d) float, of the dtype of `unseen`.

    unseen: (2, n, d) float, of the images and of their mirror images; seen: (2, m, d) float, the same of classes that
    the net was trained on, for the statistics. Raises KeyError for an unknown method.
    """
    steps = METHODS[method]
    if "mirror" in steps:
        unseen, seen = unseen.mean(0), seen.mean(0)
    else:
        unseen, seen = unseen[0], seen[0]
    for step in (step for step in steps if step != "mirror"):
        if step == "unit":
            unseen, seen = _unit(unseen), _unit(seen)
        elif step == "power":
            unseen, seen = _power(unseen), _power(seen)
        elif step == "standardise":
            # Keep the scale of a unit that is constant.
            centre, scale = _mean(seen), seen.std(0, dtype=np.float64)
            scale = np.where(scale > 0, scale, 1).astype(seen.dtype)
            unseen, seen = (unseen - centre) / scale, (seen - centre) / scale
        else:
            centre = _mean(unseen if step == "centre_queries" else seen)
            unseen, seen = unseen - centre, seen - centre
    return unseen


def _mean(features: np.ndarray) -> np.ndarray:
    return features.mean(0, dtype=np.float64).astype(features.dtype)


def _unit(features: np.ndarray) -> np.ndarray:
    """Scale each row to Euclidean length 1; a row of zeros stays as it is."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1)


def _power(features: np.ndarray) -> np.ndarray:
    """sign(x) |x|^0.5: brings the long-tailed units of a ReLU layer closer to a normal distribution."""
    return np.sign(features) * np.abs(features) ** features.dtype.type(_EXPONENT)
