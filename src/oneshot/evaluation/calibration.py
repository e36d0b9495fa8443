"""Probabilities from distances: one temperature, chosen on classes that the net was trained on.

If the images of a class scatter equally in all directions around its mean, the posterior of a class is the softmax of
-d^2 / T over the squared distances d^2 to the means of k examples, with T = t (1 + 1 / k): the mean of few examples
scatters too. t is the temperature (Guo et al. 2017, "On calibration of modern neural networks").
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from oneshot.evaluation.episodes import draw_episodes

# The temperature is chosen with many examples, whose mean is near that of the class.
SHOTS = 10
_EPISODES = 50
_IMAGES = 200  # of each class
# An answer is sure if its probability is at least this (docs/use.md has accuracy and coverage).
SURE = 0.8
_BINS = 15  # of the expected calibration error, as in Guo et al.


def probabilities(distances: np.ndarray, temperature: float, examples: int) -> np.ndarray:
    """The probability of each class: (n, classes) float64.

    distances: (n, classes) float, Euclidean, to the mean of the examples of each class; examples: their number.
    """
    scores = -np.square(distances, dtype=np.float64) / (temperature * (1 + 1 / examples))
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return scores / scores.sum(1, keepdims=True)


def choose_temperature(features: np.ndarray, labels: np.ndarray, *, seed: int) -> float:
    """The temperature of least cross-entropy over random episodes, three significant digits.

    features: (n, d) float, of classes that the net was trained on; labels: (n,). Raises ValueError if there are fewer
    than two classes, or a class has one image only.
    """
    classes = np.unique(labels)
    few = np.concatenate([np.flatnonzero(labels == label)[:_IMAGES] for label in classes])
    features, labels = features[few], labels[few]
    counts = np.unique(labels, return_counts=True)[1]
    shots = min(SHOTS, int(counts.min()) - 1)
    distances, right = episode_distances(features, labels, classes, shots=shots, episodes=_EPISODES, seed=seed)
    typical = float(np.square(distances).mean()) or 1.0

    def loss(logarithm: float) -> float:
        found = probabilities(distances, typical * np.exp(logarithm), shots)
        return -np.log(np.maximum(found[np.arange(len(right)), right], 1e-12)).mean()

    best = minimize_scalar(loss, bounds=(-8, 3), method="bounded").x  # pyright: ignore[reportAttributeAccessIssue]
    return float(f"{typical * np.exp(best):.3g}")


def episode_distances(
    features: np.ndarray, labels: np.ndarray, classes: Sequence | np.ndarray, *, shots: int, episodes: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of all queries of random episodes, (queries, ways) float64, and the right way of each, (queries,).

    features: (n, d) float; labels: (n,); classes: the ways.
    """
    support = draw_episodes(labels, list(classes), episodes=episodes, shots=shots, seed=seed, purpose="calibration")
    ways = np.full(len(labels), -1)
    for way, label in enumerate(classes):
        ways[labels == label] = way
    features = features.astype(np.float64)
    squares = np.square(features).sum(1)
    distances, right = [], []
    for sampled in support:
        query = ways >= 0
        query[sampled.ravel()] = False
        means = features[sampled].mean(1)
        apart = squares[:, None] + np.square(means).sum(1) - 2 * features @ means.T
        distances.append(np.sqrt(np.maximum(apart[query], 0)))
        right.append(ways[query])
    return np.concatenate(distances), np.concatenate(right)


def measure(
    features: np.ndarray, labels: np.ndarray, temperature: float, *, shots: int, seed: int, episodes: int = 100
) -> dict[str, float]:
    """The metrics of `calibration_metrics` over the queries of random episodes of all classes.

    features: (n, d) float, of classes that the net has not seen; labels: (n,).
    """
    distances, right = episode_distances(features, labels, np.unique(labels), shots=shots, episodes=episodes, seed=seed)
    return calibration_metrics(probabilities(distances, temperature, shots), right)


def calibration_metrics(found: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """How far probabilities (n, classes) agree with the right classes (n,).

    expected_calibration_error: |confidence - accuracy|, averaged over 15 bins of confidence by their share; sure: share
    of queries whose probability is at least SURE; sure_accuracy, unsure_accuracy: of these and of the others (1.0 where
    there are none).
    """
    confidence, correct = found.max(1), found.argmax(1) == right
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    error = sum(abs((confidence - correct)[bins == place].sum()) for place in range(_BINS)) / len(right)
    sure = confidence >= SURE
    return {
        "expected_calibration_error": float(error),
        "sure": float(sure.mean()),
        "sure_accuracy": float(correct[sure].mean()) if sure.any() else 1.0,
        "unsure_accuracy": float(correct[~sure].mean()) if not sure.all() else 1.0,
    }
