"""Few-shot accuracy over many episodes: of several methods on the same episodes, and of several groups of classes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy, mean_and_interval
from oneshot.evaluation.episodes import draw_episodes, evaluate, query_parts
from oneshot.evaluation.transforms import Layers, represent


def compare_methods(
    unseen: Layers,
    seen: Layers,
    seen_labels: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[int],
    *,
    methods: Sequence[str],
    shots: Sequence[int],
    episodes: int,
    queries: int,
    seed: int,
) -> pd.DataFrame:
    """Accuracy of each method and number of shots: one row each, fewest shots first, then in the order of the methods.

    unseen, seen, seen_labels: features of the classes to classify and of classes that the net was trained on, see
    transforms.represent; labels: (n,) of `unseen`; methods: names in transforms.METHODS, including raw; queries: images of
    each class that an episode classifies at most, see query_parts. All methods get the same episodes, so their
    differences are paired.
    Columns: setting, shots, method, accuracy, interval_95, gain_over_raw, gain_interval_95 (half-widths of 95%
    intervals over episodes).
    """
    draws = {count: draw_episodes(labels, classes, episodes=episodes, shots=count, seed=seed) for count in shots}
    parts = {count: query_parts(labels, classes, queries, shots=count, seed=seed) for count in shots}
    correct = {}
    for method in methods:
        features = represent(method, unseen, seen, seen_labels)
        for count, support in draws.items():
            correct[count, method] = accuracy(evaluate(features, labels, classes, support, parts[count]))
    rows = []
    for count in sorted(shots):
        for method in methods:
            mean, interval = mean_and_interval(correct[count, method])
            gain, gain_interval = mean_and_interval(correct[count, method] - correct[count, "raw"])
            rows.append((f"{count}-shot {method}", count, method, mean, interval, gain, gain_interval))
    columns = ["setting", "shots", "method", "accuracy", "interval_95", "gain_over_raw", "gain_interval_95"]
    return pd.DataFrame(rows, columns=columns)


def compare_transductive(
    unseen: Layers,
    seen: Layers,
    seen_labels: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[int],
    *,
    methods: Sequence[str],
    shots: Sequence[int],
    episodes: int,
    seed: int,
) -> pd.DataFrame:
    """Accuracy of each method if the queries of an episode are classified together (transductive.evaluate).

    Arguments and rows are those of compare_methods; methods: transforms that end with unit length. The last two columns
    are gain_over_inductive, over episodes.evaluate with the same transform and the same draws, and gain_interval_95.
    """
    draws = {
        count: draw_episodes(labels, classes, episodes=episodes, shots=count, seed=seed) for count in sorted(shots)
    }
    found = {}
    for method in methods:
        features = represent(method, unseen, seen, seen_labels)
        for count, support in draws.items():
            together = accuracy(transductive.evaluate(features, labels, classes, support))
            gains = together - accuracy(evaluate(features, labels, classes, support))
            found[count, method] = (*mean_and_interval(together), *mean_and_interval(gains))
    rows = [(f"{count}-shot {method}", count, method, *found[count, method]) for count in draws for method in methods]
    columns = ["setting", "shots", "method", "accuracy", "interval_95", "gain_over_inductive", "gain_interval_95"]
    return pd.DataFrame(rows, columns=columns)


def method_metrics(table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Metrics of a table of one of the above: {"shot_1": {"raw": {"accuracy": ..., "interval_95": ...}, ...}, ...}."""
    metrics: dict[str, dict[str, dict[str, float]]] = {}
    for row in table.to_dict("records"):
        found = {name: row[name] for name in ("accuracy", "interval_95")}
        metrics.setdefault(f"shot_{row['shots']}", {})[row["method"]] = found
    return metrics


def evaluate_groups(
    features: np.ndarray,
    labels: np.ndarray,
    groups: Mapping[str, Sequence[int]],
    *,
    shots: Sequence[int],
    episodes: int,
    seed: int,
) -> dict[tuple[str, int], np.ndarray]:
    """Classify within each group of classes: {(group, shots): confusions (episodes, classes, classes) int64}.

    features: (n, d) float; labels: (n,) integers; groups: {name: classes}; the name seeds the episodes.
    """
    confusions = {}
    for group, classes in groups.items():
        for count in sorted(shots):
            support = draw_episodes(labels, classes, episodes=episodes, shots=count, seed=seed, purpose=group)
            confusions[group, count] = evaluate(features, labels, classes, support)
    return confusions
