"""Time the evaluation of 10,000 episodes against a plain loop over scikit-learn's 1-nearest-neighbour classifier."""

import argparse
import resource
import time

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from oneshot.core.environment import ComputeParams, enter
from oneshot.evaluation.confusion import confusion_matrix
from oneshot.evaluation.episodes import classify_episodes, draw_episodes


def plain_loop(features: np.ndarray, labels: np.ndarray, classes: int, episodes: np.ndarray) -> np.ndarray:
    """Fit and predict episode by episode: support positions -> (episodes, classes, classes) confusion matrices."""
    matrices = []
    for support in episodes[:, :, 0]:
        queries = np.delete(np.arange(len(labels)), support)
        model = KNeighborsClassifier(1, algorithm="brute").fit(features[support], labels[support])
        matrices.append(confusion_matrix(labels[queries], model.predict(features[queries]), classes))
    return np.stack(matrices)


def main() -> None:
    """Print a table of episodes per second, and compare the predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=10_000, help="episodes of our evaluation")
    parser.add_argument("--loop-episodes", type=int, default=50, help="episodes of the plain loop")
    arguments = parser.parse_args()
    enter(ComputeParams(threads=2, instructions="portable"))

    classes, per_class, dimensions = 4, 6_000, 600
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), per_class)
    features = rng.normal(size=(classes, dimensions))[labels] + 6 * rng.normal(size=(len(labels), dimensions))
    features = np.maximum(features, 0).astype(np.float32)
    drawn = draw_episodes(labels, range(classes), episodes=arguments.episodes, shots=1, seed=1)
    fewer = drawn[: arguments.loop_episodes]

    start = time.perf_counter()
    ours = classify_episodes(features, labels, range(classes), drawn)
    our_seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    theirs = plain_loop(features, labels, classes, fewer)
    their_seconds = time.perf_counter() - start
    # In single precision a near tie may fall the other way.
    different = np.abs(ours[: len(theirs)] - theirs).sum() / 2 / theirs.sum()

    our_rate, their_rate = len(ours) / our_seconds, len(theirs) / their_seconds
    print(f"{classes}-way 1-shot, {len(labels):,} images of {dimensions} features, all others are queries")
    print(f"{'':28}{'episodes':>10}{'seconds':>10}{'episodes/s':>12}")
    print(f"{'classify_episodes':28}{len(ours):>10,}{our_seconds:>10.1f}{our_rate:>12.0f}")
    print(f"{'loop of scikit-learn 1-NN':28}{len(theirs):>10,}{their_seconds:>10.1f}{their_rate:>12.0f}")
    print(f"ratio {our_rate / their_rate:.1f}; peak memory {peak:,.0f} MiB; predictions that differ: {different:.1e}")


if __name__ == "__main__":
    main()
