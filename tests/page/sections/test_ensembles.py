"""Accuracy by several nets together."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oneshot.page.sections.ensembles import over_ensembles, section
from tests.page.made_up import made_up

COLUMNS = ["recipe", "nets", "seeds", "setting", "accuracy"]


def test_ensembles_of_one_size_are_averaged():
    rows = [
        (recipe, len(seeds.split()), seeds, setting, accuracy + 0.1 * (recipe == "thorough"))
        for recipe in ("default", "thorough")
        for setting, gain in (("report's protocol, raw", 0), ("1-shot raw", 0.2))
        for seeds, accuracy in (("1", 0.1 + gain), ("2", 0.3 + gain), ("1 2", 0.35 + gain), ("2 1", 0.45 + gain))
    ]
    means, intervals = over_ensembles(pd.DataFrame(rows, columns=COLUMNS))
    sizes = ["default: 1 net (2)", "default: 2 nets (2)", "thorough: 1 net (2)", "thorough: 2 nets (2)"]
    for found in (means, intervals):
        assert list(found) == sizes and list(found.index) == ["report's protocol, raw", "1-shot raw"]
    np.testing.assert_allclose(means, [[0.2, 0.4, 0.3, 0.5], [0.4, 0.6, 0.5, 0.7]])
    half = stats.t.interval(0.95, 1, scale=0.1)[1]
    np.testing.assert_allclose(intervals, [[half, np.nan] * 2] * 2)


def test_what_was_not_measured_is_missing():
    rows = [("default", 1, "1", "1-shot raw", 0.5), ("thorough", 1, "1", "5-shot raw", 0.6)]
    means, _ = over_ensembles(pd.DataFrame(rows, columns=COLUMNS))
    np.testing.assert_array_equal(means, [[0.5, np.nan], [np.nan, 0.6]])


def test_the_page_has_a_column_per_size():
    results = made_up()
    found = section(results)
    assert found["ensemble_sizes"] == ["default: 1 net (2)", "default: 2 nets (1)"]
    ((setting, (one, two)),) = [(row["setting"], row["cells"]) for row in found["ensembles"]]
    assert (
        setting == "1-shot raw"
        and one == pytest.approx((0.65, stats.t.interval(0.95, 1, scale=0.05)[1]))
        and two == (pytest.approx(0.75), None)
    )
    assert section(dataclasses.replace(results, ensembles=results.ensembles.head(0)))["ensembles"] == []
