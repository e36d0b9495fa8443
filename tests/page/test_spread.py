"""The mean over trainings, and to which runs it belongs."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oneshot.page.spread import gain_text, half_width_text, mean_text, mean_with, spread
from tests.page.made_up import trainings

METRIC = "10-class net, test accuracy"


def test_the_interval_is_that_of_students_t():
    values = [0.88, 0.9, 0.89, 0.93]
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    found = mean_with(trainings(*values), METRIC, 2, 0.9)
    assert found == (pytest.approx(np.mean(values)), pytest.approx((high - low) / 2), 4)


def test_the_number_of_trainings_is_that_of_the_metric():
    table = trainings(0.88, np.nan, 0.9)
    other = "siamese-2d, seen digits, AUC"
    found = mean_with(table, METRIC, 1, 0.88)
    assert found == (pytest.approx(0.89), pytest.approx(stats.t.interval(0.95, 1, scale=0.01)[1]), 2)
    assert mean_with(table, METRIC, 2, 0.88) is None, "the run with this seed did not measure it"
    assert mean_with(table, other, 2, 0.5) == (0.5, 0, 3)
    means = spread(table)
    assert (mean_text(means, METRIC), mean_text(means, other)) == ("0.890 ± 0.127 (2)", "0.500 ± <0.001 (3)")


@pytest.mark.parametrize(
    ("table", "metric", "seed", "value"),
    [
        (trainings(0.9), METRIC, 1, 0.9),  # a single training
        (trainings(0.9, 0.8), METRIC, 2, 0.9),  # another run than the one with this seed
        (trainings(0.9, 0.8), METRIC, 3, 0.9),  # a seed that is not in the table
        (trainings(0.9, 0.8), "another metric", 1, 0.9),
        (trainings(), METRIC, 1, 0.9),
    ],
)
def test_a_run_that_is_not_one_of_several_trainings_has_no_mean(
    table: pd.DataFrame, metric: str, seed: int, value: float
):
    assert mean_with(table, metric, seed, value) is None


@pytest.mark.parametrize(
    ("gain", "half", "text"),
    [
        (0.052, 0.001, "+5.2 ± 0.1"),
        (0.0004, 0.0003, "+0.04 ± 0.03"),
        (-0.00001, 0.00001, "-0.001 ± 0.001"),
        (-0.0001, 0.002, "+0.0 ± 0.2"),
        (0.0, 0.0, "no difference"),
    ],
)
def test_a_gain_has_the_digits_that_its_interval_needs(gain: float, half: float, text: str):
    assert gain_text(gain, half) == text


def test_a_small_half_width_is_not_written_as_0():
    assert (half_width_text(0.0123), half_width_text(0.0004)) == ("0.012", "<0.001")
