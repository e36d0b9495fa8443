"""Few-shot accuracy over many episodes: of several methods on the same episodes, and of several groups of classes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from oneshot.core.progress import progress
from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy, mean_and_interval
from oneshot.evaluation.episodes import classify_episodes, draw_episodes, query_parts
from oneshot.evaluation.transforms import Task

# Confusion counts that are held at one time.
_MOST_COUNTS = 4_000_000


def few_shot_accuracy(
    X,
    y,
    *,
    shots: Sequence[int] = (1, 5),
    classes: Sequence | None = None,
    episodes: int = 1000,
    seed: int = 1,
    purpose: str = "episodes",
) -> pd.DataFrame:
    """How well features tell classes apart from a few examples, by the nearest class mean, over many random episodes.

    X: (n, d) float features; y: (n,) their classes, integers or names; shots: numbers of examples of each class;
    classes: all are the ways of every episode, by default all of y; episodes: random choices of the examples, all other
    images are queries; purpose: what the draws are seeded with besides the seed. Raises ValueError if X holds no
    numbers, y is of another length, shots are below one, there is one class only, or one has too few images.

    Returns a row per number of shots, fewest first: shots, accuracy, interval_95 (half-width, of the mean over
    episodes), low and high (95% of the episodes are between).

        >>> few_shot_accuracy(features, labels, shots=(1, 5))
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise ValueError(f"features are (n, d) and labels (n,), but have the shapes {X.shape} and {y.shape}")
    if X.dtype.kind not in "biuf" or not np.isfinite(X).all():
        raise ValueError("the features hold values that are no finite numbers")
    if min(shots) < 1:
        raise ValueError(f"an episode has at least one example of each class, but shots are {list(shots)}")
    chosen = list(np.unique(y) if classes is None else classes)
    rows = []
    for count in sorted(shots):
        support = draw_episodes(y, chosen, episodes=episodes, shots=count, seed=seed, purpose=purpose)
        values = np.concatenate([accuracy(counts) for counts in counted(X, y, chosen, support)])
        rows.append(accuracy_row(count, values))
    return pd.DataFrame(rows)


def accuracy_metrics(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The accuracies of a table of few_shot_accuracy as metrics: {"shot_1": {"accuracy": ...}, ...}."""
    return {f"shot_{row['shots']}": {"accuracy": row["accuracy"]} for row in table.to_dict("records")}


def accuracy_row(shots: int, accuracies: np.ndarray) -> dict[str, float]:
    """A row of few_shot_accuracy: accuracies of episodes, (episodes,) float."""
    mean, interval = mean_and_interval(accuracies)
    low, high = np.quantile(accuracies, [0.025, 0.975])
    return {"shots": shots, "accuracy": mean, "interval_95": interval, "low": low, "high": high}


def counted(features: np.ndarray, labels: np.ndarray, classes: Sequence, support: np.ndarray) -> Iterator[np.ndarray]:
    """The confusions of episodes.classify_episodes, some episodes at a time, so that they fit into the memory."""
    step = max(1, _MOST_COUNTS // len(classes) ** 2)
    starts = range(0, len(support), step)
    # None: shown on a terminal alone.
    shown = progress(starts, desc=f"{support.shape[2]} examples", disable=True if len(starts) < 2 else None)
    for start in shown:
        yield classify_episodes(features, labels, classes, support[start : start + step])


class Draws(NamedTuple):
    """Episodes with one number of shots: see draw_episodes and query_parts; queries: None means all other images."""

    classes: Sequence[int]
    shots: int
    support: np.ndarray
    queries: Sequence[np.ndarray] | None


def sample(
    labels: np.ndarray,
    classes: Sequence[int],
    *,
    shots: Sequence[int],
    episodes: int,
    seed: int,
    queries: int | None = None,
) -> list[Draws]:
    """Sample the episodes in which methods are compared, fewest shots first.

    queries: images of each class that an episode classifies, about; see query_parts.
    """
    found = []
    for count in sorted(shots):
        support = draw_episodes(labels, classes, episodes=episodes, shots=count, seed=seed)
        parts = None if queries is None else query_parts(labels, classes, queries, shots=count, seed=seed)
        found.append(Draws(classes, count, support, parts))
    return found


def compare_methods(task: Task, methods: Sequence[str], draws: Sequence[Draws]) -> pd.DataFrame:
    """Accuracy of each method, of methods.METHODS and including raw: a row per draws and method, in their order.

    All methods get the same episodes, so their differences are paired. Columns: setting, shots, method, accuracy,
    interval_95, gain_over_raw, gain_interval_95 (half-widths of 95% intervals over episodes).
    """
    correct = {}
    for method in methods:
        features = task.transformed(method)
        for classes, shots, support, queries in draws:
            correct[shots, method] = accuracy(classify_episodes(features, task.labels, classes, support, queries))
    gains = {(shots, method): values - correct[shots, "raw"] for (shots, method), values in correct.items()}
    return _compared(correct, gains, "gain_over_raw")


def compare_transductive(task: Task, methods: Sequence[str], draws: Sequence[Draws]) -> pd.DataFrame:
    """Accuracy of each method if the queries of an episode are classified together (transductive.classify_together).

    Rows are those of compare_methods; methods: transforms that end with unit length. The last two columns are
    gain_over_inductive, over classify_episodes with the same transform and the same draws, and gain_interval_95.
    """
    correct, gains = {}, {}
    for method in methods:
        features = task.transformed(method)
        for classes, shots, support, _ in draws:
            given = features, task.labels, classes, support
            correct[shots, method] = accuracy(transductive.classify_together(*given))
            gains[shots, method] = correct[shots, method] - accuracy(classify_episodes(*given))
    return _compared(correct, gains, "gain_over_inductive")


def _compared(correct: Mapping[tuple[int, str], np.ndarray], gains: Mapping, gain: str) -> pd.DataFrame:
    """The table of accuracies of episodes by shots and method, and of gains, in the order of shots, then of methods."""
    rows = [
        (f"{shots}-shot {method}", shots, method, *mean_and_interval(values), *mean_and_interval(gains[shots, method]))
        for (shots, method), values in sorted(correct.items(), key=lambda item: item[0][0])
    ]
    columns = ["setting", "shots", "method", "accuracy", "interval_95", gain, "gain_interval_95"]
    return pd.DataFrame(rows, columns=columns)


def method_metrics(table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Metrics of a table of one of the above: {"shot_1": {"raw": {"accuracy": ..., "interval_95": ...}, ...}, ...}."""
    metrics: dict[str, dict[str, dict[str, float]]] = {}
    for row in table.to_dict("records"):
        found = {name: row[name] for name in ("accuracy", "interval_95")}
        metrics.setdefault(f"shot_{row['shots']}", {})[row["method"]] = found
    return metrics
