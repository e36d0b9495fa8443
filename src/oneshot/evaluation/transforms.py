"""Transforms of features before distances are computed, as a scikit-learn transformer and for a net's layers."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.covariance import shrunk_covariance
from sklearn.preprocessing import normalize
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from oneshot.evaluation.methods import DIGIT_METHODS, EXPONENT, METHODS, SHRINKAGE, TRANSFORMS

_STORED = ("linear", "pooled")

Layers = Mapping[str, np.ndarray]
# The constants of one step, by name.
Constants = dict[str, np.ndarray]


class FeatureTransform(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Transform features so that Euclidean distances tell new classes apart.

    method: of methods.TRANSFORMS; shrinkage: of the covariance, see `whitening_matrix`.

    After fit: steps_, a list of (step, its constants by name), in the order in which they are applied.

        >>> FeatureTransform("whitened").fit(seen, seen_labels).transform(unseen)
    """

    def __init__(self, method: str = "whitened", *, shrinkage: float = SHRINKAGE):
        self.method = method
        self.shrinkage = shrinkage

    def fit(self, X, y=None) -> "FeatureTransform":
        """Learn the constants from features X (m, d) float of other classes than those to be told apart.

        y: (m,) their classes, which only "whitened" needs. Raises ValueError if the method is unknown, the features are
        not finite, or y is missing where it is needed.
        """
        if self.method not in TRANSFORMS:
            raise ValueError(f"method must be one of {', '.join(TRANSFORMS)}, but is {self.method!r}")
        X = np.asarray(validate_data(self, X, dtype=(np.float64, np.float32)))
        if y is not None:
            y = np.asarray(column_or_1d(y, warn=True))
            check_consistent_length(X, y)
        self.steps_: list[tuple[str, Constants]] = []
        for step in TRANSFORMS[self.method]:
            if step == "whiten" and y is None:
                raise ValueError(f"the method {self.method} requires y to be passed, but the target y is None")
            constants = _constants(step, X, y, self.shrinkage)
            X = _apply(step, X, constants)
            self.steps_.append((step, constants))
        self._n_features_out = X.shape[1]
        return self

    def transform(self, X) -> np.ndarray:
        """Transform features: (n, d) float -> (n, d), of their dtype."""
        check_is_fitted(self)
        X = np.asarray(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))
        made = X
        for step, constants in self.steps_:
            made = _apply(step, made, constants)
        return made.astype(X.dtype, copy=made is X)

    def __sklearn_tags__(self):
        """Whitening needs the classes; float32 stays float32."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = "whiten" in TRANSFORMS.get(self.method, ())
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def layers_of(arrays: Mapping[str, np.ndarray], chosen: np.ndarray) -> Layers:
    """Select images of a folder that the stage extract_features wrote, as `transform_features` takes them.

    chosen: (n,) bool or positions of the images.
    """
    return stacked([{layer: arrays[f"{layer}{view}"][chosen] for layer in _STORED} for view in ("", "_mirrored")])


def stacked(views: Sequence[Mapping[str, np.ndarray]]) -> Layers:
    """Put views of the same images one upon another: each {"linear", "pooled": (n, d)} -> by layer (views, n, d)."""
    linear, pooled = (np.stack([view[layer] for view in views]) for layer in _STORED)
    return {"units": np.maximum(linear, 0), "linear": linear, "pooled": pooled}


def fit(
    method: str, seen: Layers, seen_labels: np.ndarray, *, shrinkage: float = SHRINKAGE
) -> dict[str, FeatureTransform]:
    """Fit the transform of each layer that one of METHODS or DIGIT_METHODS uses; see `transform_features`."""
    chosen = (METHODS | DIGIT_METHODS)[method]
    labels = seen_labels if "whiten" in chosen.steps else None
    return {
        layer: FeatureTransform(chosen.transform, shrinkage=shrinkage).fit(_view(seen[layer], chosen), labels)
        for layer in chosen.layers
    }


def transform_features(
    method: str, unseen: Layers, seen: Layers, seen_labels: np.ndarray, *, shrinkage: float = SHRINKAGE
) -> np.ndarray:
    """Transform the features of unseen classes by one of METHODS or DIGIT_METHODS: (n, d), of the dtype of `unseen`.

    unseen: by layer, (2, n, d) float, of the images and of their mirror images, which only the methods with `flip`
    need (without them, (1, n, d)); seen: the same of m images of classes that the net was trained on, for the
    statistics; seen_labels: (m,) integers; shrinkage: see `whitening_matrix`. Raises KeyError for an unknown method.
    """
    chosen = (METHODS | DIGIT_METHODS)[method]
    fitted = fit(method, seen, seen_labels, shrinkage=shrinkage)
    parts = [transform.transform(_view(unseen[layer], chosen)) for layer, transform in fitted.items()]
    # Layers of unit length give features of unit length.
    return np.concatenate(parts, axis=1) / parts[0].dtype.type(np.sqrt(len(parts)))


class Task(NamedTuple):
    """New classes to tell apart, and classes that the net was trained on, for the statistics: see `transform_features`.

    unseen, seen: by layer, (views, n, d) and (views, m, d) float; labels: (n,), seen_labels: (m,) integers.
    """

    unseen: Layers
    labels: np.ndarray
    seen: Layers
    seen_labels: np.ndarray

    def transformed(self, method: str, *, shrinkage: float = SHRINKAGE) -> np.ndarray:
        """The features of the new classes by a method: (n, d)."""
        return transform_features(method, self.unseen, self.seen, self.seen_labels, shrinkage=shrinkage)


def task_of(arrays: Mapping[str, np.ndarray], unseen_classes: Sequence[int]) -> Task:
    """Divide a folder that the stage extract_features wrote into new classes and those that the net was trained on."""
    labels, unseen = arrays["labels"], np.isin(arrays["labels"], unseen_classes)
    return Task(layers_of(arrays, unseen), labels[unseen], layers_of(arrays, ~unseen), labels[~unseen])


def whitening_matrix(features: np.ndarray, labels: np.ndarray, shrinkage: float) -> np.ndarray:
    """Compute the matrix that makes features vary equally in all directions within a class: (d, d) float64.

    features: (n, d) float; labels: (n,) integers. The covariance C of the features around their class means is shrunk
    to (1 - shrinkage) C + shrinkage * trace(C) / d * I; the matrix L has L L' = its inverse.
    """
    around = features.astype(np.float64)
    for label in np.unique(labels):
        around[labels == label] -= around[labels == label].mean(0)
    covariance = around.T @ around / len(around)
    if not covariance.any():
        # Features that are constant within each class have no covariance to divide by.
        covariance = np.eye(len(covariance))
    return np.linalg.cholesky(np.linalg.inv(shrunk_covariance(covariance, shrinkage)))


def _view(layer: np.ndarray, method) -> np.ndarray:
    """Images alone, or averaged with their mirror images: (views, n, d) -> (n, d)."""
    return layer.mean(0) if method.flip else layer[0]


def _constants(step: str, seen: np.ndarray, labels: np.ndarray | None, shrinkage: float) -> Constants:
    if step == "centre":
        return {"centre": _mean(seen)}
    if step == "standardise":
        # Keep the scale of a unit that is constant.
        scale = seen.std(0, dtype=np.float64)
        return {"centre": _mean(seen), "scale": np.where(scale > 0, scale, 1).astype(seen.dtype)}
    if step == "whiten":
        assert labels is not None
        return {"matrix": whitening_matrix(seen, labels, shrinkage).astype(seen.dtype)}
    return {}


def _apply(step: str, features: np.ndarray, constants: Constants) -> np.ndarray:
    if step == "unit":
        return np.asarray(normalize(features))  # a row of zeros stays as it is
    if step == "power":
        return _power(features)
    if step == "standardise":
        return (features - constants["centre"]) / constants["scale"]
    if step == "whiten":
        return features @ constants["matrix"]
    assert step == "centre", step
    return features - constants["centre"]


def _mean(features: np.ndarray) -> np.ndarray:
    return features.mean(0, dtype=np.float64).astype(features.dtype)


def _power(features: np.ndarray) -> np.ndarray:
    """sign(x) |x|^0.5: brings the long-tailed units of a ReLU layer closer to a normal distribution."""
    return np.sign(features) * np.abs(features) ** features.dtype.type(EXPONENT)
