"""The results of the report that this project reproduces, as printed there."""

from collections.abc import Mapping
from typing import NamedTuple


class TestMetrics(NamedTuple):
    """A net's test metrics: accuracy from 0 to 1, and cross-entropy in nats; None if the report has no such net."""

    accuracy: float | None
    loss: float | None


# The classes of the report's second net; the other labels are unseen.
SEEN_CLASSES = (0, 1, 2, 3, 4, 5)

# Both nets were trained with augmentation.
CONVNETS = {
    "10-class": TestMetrics(0.87, 0.67),
    "6-class": TestMetrics(0.89, 0.5297104382514953),
}

# One-shot on the unseen classes, by label: a first run's accuracies ...
ACCURACY = {6: 0.6269527896995708, 7: 0.5944921316165951, 8: 0.5984692417739628, 9: 0.5969241773962805}
# ... and a second run's confusion matrix (rows = true class, columns = predicted; the report's is transposed),
# recall and precision.
CONFUSION_LABELS = (6, 7, 8, 9)
CONFUSION = (
    (47843, 13920, 6050, 2087),
    (24311, 37164, 6021, 2404),
    (7719, 6112, 38962, 17107),
    (4457, 3810, 23359, 38274),
)
RECALL = {6: 0.68, 7: 0.53, 8: 0.56, 9: 0.55}
PRECISION = {6: 0.57, 7: 0.61, 8: 0.52, 9: 0.64}

# The most confused pairs of digits.
CONFUSED_DIGITS = ((4, 9), (1, 7))


def same_net(cifar10: Mapping) -> bool:
    """Whether a run's 6-class net has the report's classes; cifar10: that group of params.yaml."""
    return set(cifar10["seen_classes"]) == set(SEEN_CLASSES)


def same_task(cifar10: Mapping) -> bool:
    """Whether, besides, the unseen classes are the report's, so that one-shot accuracies can be compared."""
    return same_net(cifar10) and set(cifar10["unseen_classes"]) == set(CONFUSION_LABELS)
