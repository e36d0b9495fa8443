"""Confusion matrices and their metrics, against scikit-learn and the report."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from oneshot.evaluation.confusion import (
    accuracy,
    accuracy_metrics,
    by_class,
    confused_pairs,
    confusion_matrix,
    error_shares,
    from_table,
    mean_and_interval,
    precision,
    recall,
    to_table,
)

# The report's second run: rows = true class, columns = predicted.
REPORT = np.array(
    [[47843, 13920, 6050, 2087], [24311, 37164, 6021, 2404], [7719, 6112, 38962, 17107], [4457, 3810, 23359, 38274]]
)


def test_the_report_s_matrix_gives_the_report_s_recall_and_precision():
    assert REPORT.sum(1).tolist() == [69_900] * 4
    np.testing.assert_allclose(recall(REPORT), [0.68, 0.53, 0.56, 0.55], atol=0.005)
    np.testing.assert_allclose(precision(REPORT), [0.57, 0.61, 0.52, 0.64], atol=0.005)
    assert accuracy(REPORT) == pytest.approx(0.580, abs=0.0005)
    assert [pair[:2] for pair in confused_pairs(REPORT)][:2] == [(2, 3), (0, 1)]


def test_shares_of_the_errors_add_up_to_one():
    shares = error_shares(REPORT)
    assert [pair[:2] for pair in shares] == [pair[:2] for pair in confused_pairs(REPORT)]
    wrong = REPORT.sum() - np.trace(REPORT)
    assert shares[0][2] == (REPORT[2, 3] + REPORT[3, 2]) / wrong
    assert sum(share for *_, share in shares) == pytest.approx(1)
    assert error_shares(np.eye(3, dtype=int)) == [(0, 1, 0), (0, 2, 0), (1, 2, 0)]


def test_all_metrics_equal_scikit_learn():
    rng = np.random.default_rng(0)
    predicted, true = rng.integers(5, size=(2, 400))
    matrix = confusion_matrix(true, predicted, 5)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(true, predicted))
    np.testing.assert_allclose(recall(matrix), metrics.recall_score(true, predicted, average=None))
    np.testing.assert_allclose(precision(matrix), metrics.precision_score(true, predicted, average=None))
    assert accuracy(matrix) == pytest.approx(metrics.accuracy_score(true, predicted))


def test_undefined_ratios_are_nan():
    matrix = np.array([[3, 0, 1], [0, 0, 0], [1, 0, 2]])  # nothing is of class 1, or predicted to be
    assert np.isnan(recall(matrix)).tolist() == [False, True, False]
    assert np.isnan(precision(matrix)).tolist() == [False, True, False]


def test_the_interval_covers_the_mean_in_95_of_100_samples():
    rng = np.random.default_rng(0)
    covered = 0
    for sample in rng.normal(0.6, 0.1, (2000, 100)):
        mean, half_width = mean_and_interval(sample)
        covered += abs(mean - 0.6) <= half_width
    assert 0.935 < covered / 2000 < 0.96


def test_the_interval_of_a_single_value_is_0():
    assert mean_and_interval(np.array([0.5])) == (0.5, 0.0)


def test_the_accuracy_and_its_interval_are_over_episodes():
    confusions = np.array([[[8, 4], [2, 6]], [[10, 0], [0, 10]]])
    metrics = accuracy_metrics(confusions)
    assert list(metrics) == ["accuracy", "interval_95"]
    assert metrics["accuracy"] == pytest.approx(0.85)
    assert metrics["interval_95"] == pytest.approx(1.96 * np.std([0.7, 1.0], ddof=1) / np.sqrt(2))


def test_metrics_by_class_equal_scikit_learn():
    rng = np.random.default_rng(1)
    true = np.repeat([0, 1, 2], 40)  # of every episode
    predicted = np.where(rng.random((30, 120)) < 0.6, true, rng.integers(3, size=(30, 120)))
    table = by_class(np.stack([confusion_matrix(true, row, 3) for row in predicted]), ["frog", "horse", "ship"])
    assert table.columns.tolist() == ["class", "accuracy", "interval_95", "recall", "precision"]
    assert table["class"].tolist() == ["frog", "horse", "ship"]
    every = np.tile(true, 30), predicted.ravel()
    np.testing.assert_allclose(table["recall"], metrics.recall_score(*every, average=None))
    np.testing.assert_allclose(table["precision"], metrics.precision_score(*every, average=None))
    recalls = np.array([metrics.recall_score(true, row, average=None) for row in predicted])
    np.testing.assert_allclose(table["accuracy"], recalls.mean(0))
    np.testing.assert_allclose(table["accuracy"], table["recall"])
    np.testing.assert_allclose(table["interval_95"], 1.96 * recalls.std(0, ddof=1) / np.sqrt(30))


def test_a_class_that_was_never_predicted_has_no_precision():
    table = by_class(np.array([[[3, 0], [1, 0]], [[2, 0], [2, 0]]]), ["a", "b"])
    assert table["precision"].isna().tolist() == [False, True]
    assert table["accuracy"].tolist() == table["recall"].tolist() == [1.0, 0.0]


def test_the_table_names_each_cell():
    table = to_table(np.array([[1, 2], [3, 4]]), ["frog", "horse"])
    assert table.to_dict("list") == {
        "true_class": ["frog", "frog", "horse", "horse"],
        "predicted_class": ["frog", "horse", "frog", "horse"],
        "count": [1, 2, 3, 4],
    }


@given(st.permutations(range(10)), st.integers(2, 10), st.integers(0, 2**31))
def test_a_matrix_comes_back_from_its_table_with_its_classes_in_order(names, classes, seed):
    matrix = np.random.default_rng(seed).integers(100, size=(classes, classes))
    found, found_names = from_table(to_table(matrix, names[:classes]))
    np.testing.assert_array_equal(found, matrix)
    assert found_names == [str(name) for name in names[:classes]]
