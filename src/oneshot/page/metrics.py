"""The metrics that are followed over trainings: each has one name, in the tables of seeds, on the page and in texts."""

from collections.abc import Mapping
from typing import NamedTuple

from oneshot.core import keys
from oneshot.nets.table import DENSE, PHOTOGRAPHS, SIAMESE
from oneshot.page import reported


class Metric(NamedTuple):
    """Where a metric is: its file below metrics/ without .json, and its dotted key there; and the report's value."""

    file: str
    key: str
    report: float | None = None


PROTOCOL = Metric("one_shot_cifar10", "report_protocol.accuracy", sum(reported.ACCURACY.values()) / 4)
_SHOTS = (1, 5)
METRICS: dict[str, Metric] = {}
for net in PHOTOGRAPHS:
    file, report = f"train_convnet/{net}", reported.CONVNETS[net]
    METRICS[f"{net} net, test accuracy"] = Metric(file, "test.accuracy", report.accuracy)
    METRICS[f"{net} net, test loss"] = Metric(file, "test.loss", report.loss)
    METRICS[f"{net} net, test accuracy, flip test-time averaging"] = Metric(file, "test_flip_averaged.accuracy")
METRICS["one-shot, the report's protocol"] = PROTOCOL
METRICS |= {
    f"{shots}-shot, random episodes, {method}": Metric("one_shot_cifar10", f"episodes.shot_{shots}.{method}.accuracy")
    for shots in _SHOTS
    for method in (
        *("raw", "cl2n", "flip_cl2n", "whitened"),
        *("gap_whitened", "prerelu_gap_whitened", "flip_prerelu_gap_whitened"),
    )
}
METRICS |= {
    f"{shots}-shot, all queries together, {method}": Metric(
        "one_shot_cifar10", f"transductive.shot_{shots}.{method}.accuracy"
    )
    for shots in _SHOTS
    for method in ("cl2n", "flip_prerelu_gap_whitened")
}
METRICS |= {
    f"{net}, {group} digits, AUC": Metric(f"train_siamese/{net}", f"{group}.test.auc")
    for net in SIAMESE
    for group in ("seen", "unseen")
}
METRICS |= {
    f"{net}, unseen digits, {shots}-shot": Metric(f"one_shot_mnist/{net}", f"unseen.shot_{shots}.accuracy")
    for net in (*SIAMESE, "dense-seen")
    for shots in _SHOTS
}
METRICS |= {
    f"{net}, unseen digits, {shots}-shot, maps_whitened": Metric(
        f"one_shot_mnist/{net}", f"unseen.shot_{shots}.maps_whitened.accuracy"
    )
    for net in SIAMESE
    for shots in _SHOTS
}
METRICS |= {f"{net}, test accuracy": Metric(f"train_dense_embedding/{net}", "test.accuracy") for net in DENSE}


def name_of(file: str, key: str) -> str | None:
    """The name of the metric at a place; None if it is not followed."""
    return next((name for name, metric in METRICS.items() if metric[:2] == (file, key)), None)


def stored(metrics: Mapping[str, Mapping], file: str, key: str) -> float | None:
    """A run's value at a place; None if it was not measured. metrics: by path below metrics/ without .json."""
    try:
        return keys.get(metrics[file], key)
    except KeyError:
        return None


def of_report(name: str, cifar10: Mapping) -> float | None:
    """The report's value of a metric; None if it gives none, or has other classes than a run with these parameters."""
    file, _, value = METRICS[name]
    comparable = {"train_convnet/6-class": reported.same_net, "one_shot_cifar10": reported.same_task}
    return value if file not in comparable or comparable[file](cifar10) else None
