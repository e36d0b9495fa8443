"""Confusion matrices and the figures that follow from them: rows are predictions, columns are references."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def confusion_matrix(predicted: np.ndarray, reference: np.ndarray, classes: int) -> np.ndarray:
    """Count predictions by reference: (classes, classes) int64, rows = prediction, columns = reference.

    predicted, reference: (n,) integers, each in 0 .. classes - 1.
    """
    cells = np.asarray(predicted, np.int64) * classes + np.asarray(reference, np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def recall(confusion: np.ndarray) -> np.ndarray:
    """Share of each reference class that was found, (..., classes) float64; nan where the class has no query.

    confusion: (..., classes, classes) counts.
    """
    return _ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-2))


def precision(confusion: np.ndarray) -> np.ndarray:
    """Share of each class's predictions that are right, (..., classes) float64; nan where it was never predicted."""
    return _ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-1))


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Share of all queries that are right, (...) float64."""
    return _ratio(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum((-2, -1)))


def mean_and_interval(values: np.ndarray) -> tuple[float, float]:
    """Mean of independent values and the half-width of its 95% interval, 1.96 standard errors; nan values are left out.

    values: (n,) float with at least one number; the half-width of a single number is 0.
    """
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return float(values.mean()), 0.0
    return float(values.mean()), float(1.96 * values.std(ddof=1) / np.sqrt(len(values)))


def confused_pairs(confusion: np.ndarray) -> list[tuple[int, int, int]]:
    """List the pairs of classes by how often one was taken for the other, either way, most often first.

    confusion: (classes, classes) counts; returns (class, greater class, count), equal counts by class.
    """
    both = confusion + confusion.T
    pairs = [(a, b, int(both[a, b])) for a in range(len(both)) for b in range(a + 1, len(both))]
    return sorted(pairs, key=lambda pair: -pair[2])


def confusion_table(confusion: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Lay out a (classes, classes) matrix as a table with columns predicted, reference (names) and count."""
    rows, columns = np.indices(confusion.shape).reshape(2, -1)
    names = np.asarray(names)
    return pd.DataFrame({"predicted": names[rows], "reference": names[columns], "count": confusion.ravel()})


def summary(confusions: np.ndarray, keys: Sequence[str]) -> dict[str, float | dict[str, float]]:
    """Summarise episodes: mean accuracy and its 95% interval (half-width) over episodes, in all and for each class.

    confusions: (episodes, classes, classes) counts; keys: the classes' names in the result. A class that no episode
    holds is left out. A class with as many queries in each episode has the summed
    matrix's recall as its accuracy.
    """
    figures = _mean_accuracy(accuracy(confusions))
    for key, values in zip(keys, recall(confusions).T, strict=True):
        if not np.isnan(values).all():
            figures[key] = _mean_accuracy(values)
    return figures


def _mean_accuracy(values: np.ndarray) -> dict[str, float]:
    mean, half_width = mean_and_interval(values)
    return {"accuracy": mean, "accuracy_interval_95": half_width}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
