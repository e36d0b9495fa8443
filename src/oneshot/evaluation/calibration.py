"""Probabilities from distances: a temperature, chosen on classes that the net was trained on.

If the images of a class scatter equally in all directions around its mean, the posterior of a class is the softmax of
-d^2 / T over the squared distances d^2 to the means of k examples, with T = a + b / k: a for the scatter of the images,
b for that of the mean of few examples (Guo et al. 2017, "On calibration of modern neural networks", have one T). b = a
if nothing is known of where class means are, and more if they too are near each other: then an example far from the
others says less.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from oneshot.evaluation.episodes import draw_episodes

# a is chosen with many examples, whose mean is near that of the class; then b, with one.
SHOTS = 20
_EPISODES = 50
_IMAGES = 200  # of each class
# An answer is sure if its probability is at least this (docs/use.md has accuracy and coverage).
SURE = 0.8
_BINS = 15  # of the expected calibration error, as in Guo et al.


class Temperature(NamedTuple):
    """T = scatter + example / k, of squared distances to the mean of k examples."""

    scatter: float
    example: float


# Which images are held out, and of which the statistics are, (n,) bool each -> features (m, d) of those held out.
Represent = Callable[[np.ndarray, np.ndarray], np.ndarray]


def probabilities(distances: np.ndarray, temperature: Temperature, examples: int) -> np.ndarray:
    """The probability of each class: (n, classes) float64.

    distances: (n, classes) float, Euclidean, to the mean of the examples of each class; examples: their number.
    """
    scores = -np.square(distances, dtype=np.float64) / (temperature.scatter + temperature.example / examples)
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return scores / scores.sum(1, keepdims=True)


def choose_temperature(represent: Represent, labels: np.ndarray, *, seed: int) -> Temperature:
    """The temperature of least cross-entropy over random episodes, three significant digits.

    represent: of images whose classes are `labels` (n,), classes that the net was trained on. As in use, the statistics
    of a transform are of other classes than the episode's: two classes are held out at a time, if there are four or
    more. Raises ValueError if there are fewer than two classes, or a class has one image only.
    """
    from scipy.optimize import minimize_scalar  # half a second, which probabilities do not need

    classes, counts = np.unique(labels, return_counts=True)
    many = min(SHOTS, int(counts.min()) - 1)
    pairs = [(label, classes[number - 1]) for number, label in enumerate(classes)] if len(classes) > 3 else [classes]
    found: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {many: [], 1: []}
    for ways in pairs:
        few = np.concatenate([np.flatnonzero(labels == label)[:_IMAGES] for label in ways])
        held = np.zeros(len(labels), bool)
        held[few] = True
        others = ~np.isin(labels, ways) if len(pairs) > 1 else np.ones(len(labels), bool)
        features = represent(held, others)
        episodes = -(-_EPISODES // len(pairs))
        for shots, drawn in found.items():
            drawn.append(episode_distances(features, labels[held], ways, shots=shots, episodes=episodes, seed=seed))
    typical = float(np.mean([np.square(distances).mean() for distances, _ in found[many]])) or 1.0

    def least(shots: int, temperature: Callable[[float], Temperature], bounds: tuple[float, float]) -> Temperature:
        def loss(value: float) -> float:
            total = count = 0
            for distances, right in found[shots]:
                likely = probabilities(distances, temperature(value), shots)[np.arange(len(right)), right]
                total, count = total - np.log(np.maximum(likely, 1e-12)).sum(), count + len(right)
            return total / count

        best = minimize_scalar(loss, bounds=bounds, method="bounded").x  # pyright: ignore[reportAttributeAccessIssue]
        return Temperature(*(float(f"{value:.3g}") for value in temperature(best)))

    equal = least(many, lambda value: Temperature(typical * np.exp(value), typical * np.exp(value)), (-8, 3))
    if many == 1:
        return equal
    return least(1, lambda value: Temperature(equal.scatter, equal.scatter * value), (1, 8))


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
    features: np.ndarray, labels: np.ndarray, temperature: Temperature, *, shots: int, seed: int, episodes: int = 100
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
