import numpy as np
import pytest
from sklearn import metrics

from oneshot.confusion import (
    accuracy,
    confused_pairs,
    confusion_matrix,
    confusion_table,
    mean_and_interval,
    precision,
    recall,
    summary,
)

# The report's second run: rows = prediction, columns = reference.
REPORT = np.array(
    [[47843, 24311, 7719, 4457], [13920, 37164, 6112, 3810], [6050, 6021, 38962, 23359], [2087, 2404, 17107, 38274]]
)


def test_the_report_s_matrix_gives_the_report_s_recall_and_precision():
    assert REPORT.sum(0).tolist() == [69_900] * 4
    np.testing.assert_allclose(recall(REPORT), [0.68, 0.53, 0.56, 0.55], atol=0.005)
    np.testing.assert_allclose(precision(REPORT), [0.57, 0.61, 0.52, 0.64], atol=0.005)
    assert accuracy(REPORT) == pytest.approx(0.580, abs=0.0005)
    assert [pair[:2] for pair in confused_pairs(REPORT)][:2] == [(2, 3), (0, 1)]


def test_all_figures_equal_scikit_learn():
    rng = np.random.default_rng(0)
    predicted, reference = rng.integers(5, size=(2, 400))
    matrix = confusion_matrix(predicted, reference, 5)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(reference, predicted).T)
    np.testing.assert_allclose(recall(matrix), metrics.recall_score(reference, predicted, average=None))
    np.testing.assert_allclose(precision(matrix), metrics.precision_score(reference, predicted, average=None))
    assert accuracy(matrix) == pytest.approx(metrics.accuracy_score(reference, predicted))


def test_undefined_ratios_are_nan():
    matrix = np.array([[3, 0, 1], [0, 0, 0], [1, 0, 2]])
    assert np.isnan(recall(matrix)).tolist() == [False, True, False]
    assert np.isnan(precision(matrix)).tolist() == [False, True, False]


def test_the_interval_covers_the_mean_in_95_of_100_samples():
    rng = np.random.default_rng(0)
    covered = 0
    for sample in rng.normal(0.6, 0.1, (2000, 100)):
        mean, half_width = mean_and_interval(sample)
        covered += abs(mean - 0.6) <= half_width
    assert 0.935 < covered / 2000 < 0.96
    assert mean_and_interval(np.array([0.5, np.nan])) == (0.5, 0.0)


def test_summary_is_over_episodes_and_leaves_out_what_is_not_there():
    confusions = np.array([[[8, 4, 0], [2, 6, 0], [0, 0, 0]], [[10, 0, 0], [0, 10, 0], [0, 0, 0]]])
    result = summary(confusions, ["class_6", "class_7", "class_8"])
    assert list(result) == ["accuracy", "accuracy_interval_95", "class_6", "class_7"]
    assert result["accuracy"] == pytest.approx(0.85)
    assert result["accuracy_interval_95"] == pytest.approx(1.96 * np.std([0.7, 1.0], ddof=1) / np.sqrt(2))
    assert result["class_7"]["accuracy"] == pytest.approx(recall(confusions.sum(0))[1])


def test_the_table_names_each_cell():
    table = confusion_table(np.array([[1, 2], [3, 4]]), ["frog", "horse"])
    assert table.to_dict("list") == {
        "predicted": ["frog", "frog", "horse", "horse"],
        "reference": ["frog", "horse", "frog", "horse"],
        "count": [1, 2, 3, 4],
    }
