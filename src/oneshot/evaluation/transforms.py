"""Transforms of features before distances are computed: the usual ones of the few-shot literature, by name."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Method(NamedTuple):
    """How features are made from a net's outputs.

    steps: applied to each layer's features, in this order; layers: "units" of the representation (of a digit net its
    embedding), "linear" (the same before ReLU), "pooled" (the means of the last maps) or "maps" (of a digit net:
    training.maps); features of several layers are put side by side; mirror: whether an image and its mirror image are
    averaged (test-time averaging).
    """

    steps: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("units",)
    mirror: bool = False


# Sources: centring and unit length are CL2N of SimpleShot (Wang et al. 2019); the power transform with centring is that
# of PT-MAP (Hu et al. 2021). Whitening is within-class covariance normalisation of speaker recognition (Hatch et al.
# 2006), followed there too by unit length (Garcia-Romero & Espy-Wilson 2011), with a covariance shrunk as in
# regularised discriminant analysis (Friedman 1989). Residual nets classify by means of the last maps (He et al. 2016).
_WHITENED = ("centre", "whiten", "unit")
METHODS = {
    "raw": Method(),
    "unit": Method(("unit",)),
    "centred": Method(("centre", "unit")),
    "power": Method(("power", "unit")),
    "power_centred": Method(("power", "unit", "centre", "unit")),
    "standardised": Method(("power", "unit", "standardise", "unit")),
    "whitened": Method(_WHITENED),
    "linear_whitened": Method(_WHITENED, ("linear",)),
    "pooled_centred": Method(("centre", "unit"), ("pooled",)),
    "pooled_whitened": Method(_WHITENED, ("pooled",)),
    "both_whitened": Method(_WHITENED, ("linear", "pooled")),
    "mirror": Method(mirror=True),
    "mirror_centred": Method(("centre", "unit"), mirror=True),
    "mirror_whitened": Method(_WHITENED, mirror=True),
    "mirror_pooled_whitened": Method(_WHITENED, ("pooled",), mirror=True),
    "mirror_both_whitened": Method(_WHITENED, ("linear", "pooled"), mirror=True),
}
# Of the digit nets: the embedding, or the last maps before it, averaged over cells.
DIGIT_METHODS = {"raw": Method(), "maps_whitened": Method(_WHITENED, ("maps",))}
_EXPONENT = 0.5  # of the power transform, as in PT-MAP
SHRINKAGE = 0.6  # of the covariance, chosen on folds of the seen classes (docs/recipe.md)

_STORED = ("linear", "pooled")

Layers = Mapping[str, np.ndarray]


def layers_of(arrays: Mapping[str, np.ndarray], chosen: np.ndarray) -> Layers:
    """Select images of a folder that the stage extract_features wrote, as `represent` takes them.

    chosen: (n,) bool or positions of the images.
    """
    return stacked([{layer: arrays[f"{layer}{view}"][chosen] for layer in _STORED} for view in ("", "_mirrored")])


def stacked(views: Sequence[Mapping[str, np.ndarray]]) -> Layers:
    """Put views of the same images one upon another: each {"linear", "pooled": (n, d)} -> by layer (views, n, d)."""
    linear, pooled = (np.stack([view[layer] for view in views]) for layer in _STORED)
    return {"units": np.maximum(linear, 0), "linear": linear, "pooled": pooled}


def represent(
    method: str, unseen: Layers, seen: Layers, seen_labels: np.ndarray, *, shrinkage: float = SHRINKAGE
) -> np.ndarray:
    """Transform the features of unseen classes by one of METHODS or DIGIT_METHODS: (n, d), of the dtype of `unseen`.

    unseen: by layer, (2, n, d) float, of the images and of their mirror images, which only the methods with `mirror`
    need (without them, (1, n, d)); seen: the same of m images of classes that the net was trained on, for the
    statistics; seen_labels: (m,) integers; shrinkage: see `whitening`. Raises KeyError for an unknown method.
    """
    chosen = (METHODS | DIGIT_METHODS)[method]
    parts = []
    for layer in chosen.layers:
        views = unseen[layer], seen[layer]
        one, known = (both.mean(0) if chosen.mirror else both[0] for both in views)
        for step in chosen.steps:
            one, known = _apply(step, one, known, seen_labels, shrinkage)
        parts.append(one)
    # Layers of unit length give features of unit length.
    return np.concatenate(parts, axis=1) / parts[0].dtype.type(np.sqrt(len(parts)))


def _apply(
    step: str, unseen: np.ndarray, seen: np.ndarray, seen_labels: np.ndarray, shrinkage: float
) -> tuple[np.ndarray, np.ndarray]:
    if step == "unit":
        return _unit(unseen), _unit(seen)
    if step == "power":
        return _power(unseen), _power(seen)
    if step == "standardise":
        # Keep the scale of a unit that is constant.
        centre, scale = _mean(seen), seen.std(0, dtype=np.float64)
        scale = np.where(scale > 0, scale, 1).astype(seen.dtype)
        return (unseen - centre) / scale, (seen - centre) / scale
    if step == "whiten":
        matrix = whitening(seen, seen_labels, shrinkage).astype(seen.dtype)
        return unseen @ matrix, seen @ matrix
    assert step == "centre", step
    centre = _mean(seen)
    return unseen - centre, seen - centre


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
