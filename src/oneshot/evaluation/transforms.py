"""Transforms of features before distances are computed: the usual ones of the few-shot literature, by name."""

import numpy as np

# Each method is a sequence of steps. Sources: centring and unit length are CL2N of SimpleShot (Wang et al. 2019); the
# power transform with centring is that of PT-MAP (Hu et al. 2021). "mirror" averages the features of an image and its
# mirror image (test-time averaging). "whiten" is within-class covariance normalisation of speaker recognition (Hatch et
# al. 2006), followed there too by unit length (Garcia-Romero & Espy-Wilson 2011), with a covariance shrunk as in
# regularised discriminant analysis (Friedman 1989).
METHODS = {
    "raw": (),
    "unit": ("unit",),
    "centred": ("centre", "unit"),
    "power": ("power", "unit"),
    "power_centred": ("power", "unit", "centre", "unit"),
    "mirror": ("mirror",),
    "mirror_centred": ("mirror", "centre", "unit"),
    "standardised": ("power", "unit", "standardise", "unit"),
    "whitened": ("centre", "whiten", "unit"),
    "mirror_whitened": ("mirror", "centre", "whiten", "unit"),
}
_EXPONENT = 0.5  # of the power transform, as in PT-MAP
_SHRINKAGE = 0.6  # of the covariance, chosen on folds of the base classes (docs/recipe.md)


def represent(method: str, unseen: np.ndarray, seen: np.ndarray, seen_labels: np.ndarray) -> np.ndarray:
    """Transform the features of unseen classes by one of METHODS: (n, d) float, of the dtype of `unseen`.

    unseen: (2, n, d) float, of the images and of their mirror images; seen: (2, m, d) float, the same of classes that
    the net was trained on, for the statistics; seen_labels: (m,) integers. Raises KeyError for an unknown method.
    """
    steps = METHODS[method]
    unseen, seen = (views.mean(0) if "mirror" in steps else views[0] for views in (unseen, seen))
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
        elif step == "whiten":
            matrix = whitening(seen, seen_labels, _SHRINKAGE).astype(seen.dtype)
            unseen, seen = unseen @ matrix, seen @ matrix
        else:
            centre = _mean(seen)
            unseen, seen = unseen - centre, seen - centre
    return unseen


def whitening(features: np.ndarray, labels: np.ndarray, shrinkage: float) -> np.ndarray:
    """Compute the matrix that makes features vary equally in all directions within a class: (d, d) float64.

    features: (n, d) float; labels: (n,) integers. The covariance C of the features around their class means is shrunk
    to (1 - shrinkage) C + shrinkage * trace(C) / d * I; the matrix L has L L' = its inverse.
    """
    around = features.astype(np.float64)
    for label in np.unique(labels):
        around[labels == label] -= around[labels == label].mean(0)
    covariance = around.T @ around / len(around)
    size = len(covariance)
    # Features that are constant within each class have no covariance to divide by.
    spread = np.trace(covariance) / size or 1.0
    return np.linalg.cholesky(np.linalg.inv((1 - shrinkage) * covariance + shrinkage * spread * np.eye(size)))


def _mean(features: np.ndarray) -> np.ndarray:
    return features.mean(0, dtype=np.float64).astype(features.dtype)


def _unit(features: np.ndarray) -> np.ndarray:
    """Scale each row to Euclidean length 1; a row of zeros stays as it is."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1)


def _power(features: np.ndarray) -> np.ndarray:
    """sign(x) |x|^0.5: brings the long-tailed units of a ReLU layer closer to a normal distribution."""
    return np.sign(features) * np.abs(features) ** features.dtype.type(_EXPONENT)
