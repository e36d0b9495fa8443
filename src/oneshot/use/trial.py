"""How well a net tells some classes apart, by the number of examples: the episodes of the pipeline, on any images."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from oneshot.core.errors import UserError
from oneshot.evaluation import confusion, few_shot
from oneshot.evaluation.episodes import draw_episodes

SHOTS = (1, 2, 5, 10)
# The draws of all episodes are held at one time, 8 bytes each.
MOST_DRAWS = 20_000_000


class Trial(NamedTuple):
    """`curve`, see few_shot.few_shot_accuracy; `confusions`, {number of examples: (ways, ways) int64}, the
    sum over all episodes, rows = true class, columns = predicted."""

    curve: pd.DataFrame
    confusions: dict[int, np.ndarray]


def possible_shots(labels: np.ndarray, names: Sequence[str]) -> list[int]:
    """The numbers of examples, of SHOTS, that leave a query of each class: (n,) labels 0 .. len(names) - 1.

    Raises UserError, naming the class, if one has a single image.
    """
    counts = np.bincount(labels, minlength=len(names))
    fewest = int(counts.argmin())
    if counts[fewest] < 2:
        raise UserError(
            f"the class {names[fewest]} has one image: two of each class are needed, an example and a query"
        )
    return [shots for shots in SHOTS if shots < counts[fewest]]


def check(labels: np.ndarray, names: Sequence[str], episodes: int) -> list[int]:
    """The numbers of examples that `run` will try; raises UserError as it does."""
    possible = possible_shots(labels, names)
    most = MOST_DRAWS // (len(names) * max(possible))
    if not 2 <= episodes <= most:
        raise UserError(f"the number of episodes must be from 2 to {most:,} with so many classes, but is {episodes:,}")
    return possible


def run(vectors: np.ndarray, labels: np.ndarray, names: Sequence[str], *, episodes: int, seed: int) -> Trial:
    """Classify the images again and again, each time from other examples, as few_shot.few_shot_accuracy does.

    vectors: (n, d) float; labels: (n,) integers, 0 .. len(names) - 1; episodes: draws of the examples; all other images
    are queries. Raises UserError if a class has a single image, or the draws would not fit into the memory.
    """
    ways = range(len(names))
    rows, confusions = [], {}
    for shots in check(labels, names, episodes):
        support = draw_episodes(labels, ways, episodes=episodes, shots=shots, seed=seed)
        total, accuracies = np.zeros((len(names), len(names)), np.int64), []
        for counts in few_shot.counted(vectors, labels, ways, support):
            total += counts.sum(0)
            accuracies.append(confusion.accuracy(counts))
        rows.append(few_shot.accuracy_row(shots, np.concatenate(accuracies)))
        confusions[shots] = total
    return Trial(pd.DataFrame(rows), confusions)
