"""The nearest class mean: what classifier and command do with vectors. Without scikit-learn, which loads slowly."""

import numpy as np

from oneshot.evaluation import calibration
from oneshot.use.mistakes import InputError
from oneshot.use.representation import Representation


def check_examples(vectors: np.ndarray, names: np.ndarray) -> None:
    """Raise InputError if there is one class only, or the encoder sees no difference between any of the examples."""
    if len(np.unique(names)) < 2:
        raise InputError(f"there is one class only, {names[0]}: give examples of two classes or more")
    if len(vectors) > 1 and (vectors == vectors[0]).all():
        raise InputError("all examples look the same to the encoder: give other images, or take another encoder")


def class_means(
    vectors: np.ndarray, names: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes (classes,) in order, the means of their vectors (classes, d), and their counts (classes,) int64.

    vectors: (n, d) float; names: (n,); weights: (n,) int64, how many examples each vector stands for.
    """
    weights = np.ones(len(names), np.int64) if weights is None else weights
    classes, labels = np.unique(names, return_inverse=True)
    each = [labels == label for label in range(len(classes))]
    means = np.stack([np.average(vectors[chosen], axis=0, weights=weights[chosen]) for chosen in each])
    return classes, means, np.array([weights[chosen].sum() for chosen in each])


def distances(vectors: np.ndarray, means: np.ndarray) -> np.ndarray:
    """The Euclidean distance of each vector (n, d) to each mean (classes, d): (n, classes) float64."""
    return np.stack([np.linalg.norm(vectors - mean, axis=1) for mean in means], axis=1)


def probabilities(found: np.ndarray, counts: np.ndarray, representation: Representation) -> np.ndarray:
    """The probability of each class from distances (n, classes), see calibration; counts: (classes,) of the examples.

    Raises InputError if no temperature is known.
    """
    if representation.temperature is None:
        raise InputError("no probabilities without a temperature: give a background with two classes or more")
    # One number of examples for all, that of the rarest class: then the nearest class is the likeliest.
    return calibration.probabilities(found, representation.temperature, int(counts.min()))
