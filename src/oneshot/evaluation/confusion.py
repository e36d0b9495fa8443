"""Confusion matrices and the metrics that follow from them: rows are true classes, columns are predicted ones."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def confusion_matrix(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count predictions, as scikit-learn does: (classes, classes) int64, rows = true class, columns = predicted.

    true, predicted: (n,) integers, each in 0 .. classes - 1.
    """
    cells = np.asarray(true, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def recall(confusion: np.ndarray) -> np.ndarray:
    """Share of each true class that was classified correctly, (..., classes) float64; nan if it has no query.

    confusion: (..., classes, classes) counts.
    """
    return _ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-1))


def precision(confusion: np.ndarray) -> np.ndarray:
    """Share of each class's predictions that are right, (..., classes) float64; nan if it was never predicted."""
    return _ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-2))


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Share of all queries that were classified correctly, (...) float64."""
    return _ratio(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum((-2, -1)))


def mean_and_interval(values: np.ndarray) -> tuple[float, float]:
    """Mean of independent values (n,) float and the half-width of its 95% interval, 1.96 standard errors.

    The half-width of a single value is 0.
    """
    if len(values) < 2:
        return float(values.mean()), 0.0
    return float(values.mean()), float(1.96 * values.std(ddof=1) / np.sqrt(len(values)))


def accuracy_metrics(confusions: np.ndarray) -> dict[str, float]:
    """Mean accuracy over episodes and its 95% interval: (episodes, classes, classes) counts -> metrics."""
    mean, half_width = mean_and_interval(accuracy(confusions))
    return {"accuracy": mean, "interval_95": half_width}


def by_class(confusions: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Metrics of each class: columns class, accuracy, interval_95 (over episodes), recall, precision (of all episodes).

    confusions: (episodes, classes, classes) counts. A class's accuracy equals its recall if every episode has the same
    number of its queries. The precision of a class that was never predicted is nan.
    """
    total = confusions.sum(0)
    means = [mean_and_interval(values) for values in recall(confusions).T]
    return pd.DataFrame(
        {
            "class": list(names),
            "accuracy": [mean for mean, _ in means],
            "interval_95": [half_width for _, half_width in means],
            "recall": recall(total),
            "precision": precision(total),
        }
    )


def confused_pairs(confusion: np.ndarray) -> list[tuple[int, int, int]]:
    """List the pairs of classes by how often one was classified as the other, most often first.

    confusion: (classes, classes) counts; returns (class, greater class, count); ties are in the order of the classes.
    """
    both = confusion + confusion.T
    pairs = [(a, b, int(both[a, b])) for a in range(len(both)) for b in range(a + 1, len(both))]
    return sorted(pairs, key=lambda pair: -pair[2])


def error_shares(confusion: np.ndarray) -> list[tuple[int, int, float]]:
    """List the same pairs with their shares of all errors in place of counts; all are 0 if there is no error."""
    pairs = confused_pairs(confusion)
    errors = max(1, sum(count for _, _, count in pairs))
    return [(first, second, count / errors) for first, second, count in pairs]


def to_table(confusion: np.ndarray, names: Sequence[str | int]) -> pd.DataFrame:
    """Lay out a (classes, classes) matrix as a table with columns true_class, predicted_class (names) and count."""
    rows, columns = np.indices(confusion.shape).reshape(2, -1)
    table_names = np.asarray(names)
    return pd.DataFrame(
        {"true_class": table_names[rows], "predicted_class": table_names[columns], "count": confusion.ravel()}
    )


def from_table(table: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Undo `to_table`: return the matrix (classes, classes) int64 and the names of its classes, in their order."""
    names = table["true_class"].astype(str).drop_duplicates().tolist()
    return table["count"].to_numpy(np.int64).reshape(len(names), len(names)), names


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
