"""Accuracy on unseen digits over trainings."""

import pandas as pd
import pytest
from scipy import stats

from oneshot.page.sections.ceilings import over_trainings, section
from tests.page.made_up import made_up


def test_trainings_are_summarised_per_net_and_shots():
    rows = [
        *[("raw pixels", 5, None, 0.7), ("raw pixels", 1, None, 0.5)],
        *[("siamese-2d", shots, seed, shots / 10 + seed / 100) for seed in (1, 3) for shots in (5, 1)],
    ]
    found = over_trainings(pd.DataFrame(rows, columns=["net", "shots", "seed", "accuracy"]))
    assert found[["shots", "net"]].to_numpy().tolist() == [
        *([1, "raw pixels"], [1, "siamese-2d"]),
        *([5, "raw pixels"], [5, "siamese-2d"]),
    ]
    assert found["mean"].tolist() == pytest.approx([0.5, 0.12, 0.7, 0.52])
    assert found["deviation"].tolist()[1] == pytest.approx(0.02 / 2**0.5)
    assert found["interval_95"].tolist()[1] == pytest.approx(stats.t.interval(0.95, 1, scale=0.01)[1])
    assert found["trainings"].tolist() == [0, 2, 0, 2]


def test_raw_pixels_have_no_interval_on_the_page():
    pixels, net = section(made_up())["ceilings"]
    assert (pixels["net"], pixels["interval_95"]) == ("raw pixels", None)
    assert (net["mean"], net["trainings"]) == (pytest.approx(0.65), 2)
