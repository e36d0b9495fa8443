"""Transforms of features before distances are taken: the usual ones of the few-shot literature, each by a name."""

import numpy as np

# Each method is a sequence of steps. Sources: centring and unit length are CL2N of SimpleShot (Wang et al. 2019), the
# power transform with centring is that of PT-MAP (Hu et al. 2021). "mirror" averages the features of an image and its
# mirror image: test-time averaging, beside the plain figures. "centre_novel" takes the mean of all novel images, the
# unlabelled queries included: transductive.
METHODS = {
    "raw": (),
    "unit": ("unit",),
    "centred": ("centre", "unit"),
    "power": ("power", "unit"),
    "power_centred": ("power", "unit", "centre", "unit"),
    "mirror": ("mirror",),
    "mirror_centred": ("mirror", "centre", "unit"),
    "standardised": ("power", "unit", "standardise", "unit"),
    "transductive": ("power", "unit", "centre_novel", "unit"),
}


def represent(method: str, novel: np.ndarray, base: np.ndarray, exponent: float = 0.5) -> np.ndarray:
    """Transform the features of novel classes by one of METHODS: (n, d) float, of the dtype of `novel`.

    novel: (2, n, d) float, of the images and of their mirror images; base: (2, m, d) float, the same of classes that
    the net was trained on, for the statistics; exponent: of the power transform. Raises KeyError for an unknown method.
    """
    steps = METHODS[method]
    if "mirror" in steps:
        novel, base = novel.mean(0), base.mean(0)
    else:
        novel, base = novel[0], base[0]
    for step in (step for step in steps if step != "mirror"):
        if step == "unit":
            novel, base = _unit(novel), _unit(base)
        elif step == "power":
            novel, base = _power(novel, exponent), _power(base, exponent)
        elif step == "standardise":
            # A unit that is 0 for all base images carries no scale: leave it as it is.
            centre, scale = _mean(base), base.std(0, dtype=np.float64)
            scale = np.where(scale > 0, scale, 1).astype(base.dtype)
            novel, base = (novel - centre) / scale, (base - centre) / scale
        else:
            centre = _mean(novel if step == "centre_novel" else base)
            novel, base = novel - centre, base - centre
    return novel


def _mean(features: np.ndarray) -> np.ndarray:
    return features.mean(0, dtype=np.float64).astype(features.dtype)


def _unit(features: np.ndarray) -> np.ndarray:
    """Scale each row to Euclidean length 1; a row of zeros stays."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1)


def _power(features: np.ndarray, exponent: float) -> np.ndarray:
    """sign(x) |x|^exponent: makes the long-tailed units of a ReLU layer more like a normal distribution."""
    return np.sign(features) * np.abs(features) ** features.dtype.type(exponent)
