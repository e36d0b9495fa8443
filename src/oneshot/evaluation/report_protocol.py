"""The report's one-shot protocol (report, section on unseen classes): few images, many draws of one example each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from oneshot.evaluation.episodes import choose_images, classify_episodes, draw_episodes


class Draws(NamedTuple):
    """What the protocol drew, and its results.

    pool: (images,) int64, positions of the images that it uses, class by class; support: (draws, ways, 1) int64,
    positions in the pool; confusions: (draws, ways, ways) int64.
    """

    pool: np.ndarray
    support: np.ndarray
    confusions: np.ndarray


def run(
    features: np.ndarray, labels: np.ndarray, classes: Sequence[int], *, images_per_class: int, draws: int, seed: int
) -> Draws:
    """Classify the images of some classes from one random image of each; repeat for many draws of these images.

    features: (n, d) float; labels: (n,) integers; images_per_class: including the support image; draws: number of
    random choices of the support images. A query is classified as the class of the nearest support image by Euclidean
    distance, in double precision.
    """
    pool = choose_images(labels, classes, images_per_class, seed, "report protocol")
    support = draw_episodes(labels[pool], classes, episodes=draws, shots=1, seed=seed, purpose="report protocol")
    return Draws(pool, support, classify_episodes(features[pool].astype(np.float64), labels[pool], classes, support))
