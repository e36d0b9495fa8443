"""Charts in plotly.js's format."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oneshot.page import charts
from oneshot.plotting.palette import COLOURS, MARKERS

ROOT = Path(__file__).parents[2]


def test_dvcs_scatter_template_has_the_colours_of_the_palette():
    template = (ROOT / ".dvc/plots/scatter_classes.json").read_text()
    assert re.findall(r"'(#[0-9a-f]{6})'", template) == list(COLOURS)


def test_markers_of_classes_drawn_together_differ_in_3d_too():
    for together in (range(6), range(6, 10), range(5), range(5, 10)):
        assert len({charts.SYMBOLS_3D[MARKERS[label]] for label in together}) == len(together)


def test_the_sweep_takes_the_mean_of_repeated_runs():
    table = pd.DataFrame({"margin": [1.0, 1.0, 2.0], "net": ["siamese-2d"] * 3, "unseen_auc": [0.6, 0.8, 0.9]})
    (line,) = charts.sweep(table, "unseen_auc", "AUC")["data"]
    assert line["name"] == "siamese-2d"
    assert line["x"] == [1.0, 2.0] and line["y"] == [0.7, 0.9]


def test_curves_count_their_epochs_from_one():
    training, validation = charts.curves([3.0, 2.0], [4.0, 3.5], "loss")["data"]
    assert (training["name"], training["x"], training["y"]) == ("training", [1, 2], [3.0, 2.0])
    assert (validation["name"], validation["y"]) == ("validation", [4.0, 3.5])


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_point_keeps_its_image_its_class_and_its_place(dimensions: int):
    points, labels = np.arange(4.0 * dimensions).reshape(4, dimensions), np.array([7, 6, 7, 6])
    chart = charts.scatter(points, labels, [f"class {label}" for label in range(10)], "xyz", [10, 11, 12, 13])
    found = {}
    for trace in chart["data"]:
        for place, *position in zip(trace["customdata"], *(trace[axis] for axis in "xyz"[:dimensions]), strict=True):
            found[place] = (trace["name"], trace["marker"]["color"], position)
    expected = {
        10 + row: (f"class {label}", COLOURS[label], points[row].tolist()) for row, label in enumerate(labels.tolist())
    }
    assert found == expected


def test_confusion_shades_by_the_share_of_the_true_class():
    (trace,) = charts.confusion(np.array([[3, 1], [0, 0]]), ["a", "b"])["data"]
    assert trace["z"] == [[0.75, 0.25], [0.0, 0.0]], "a class without queries has no share"
    assert trace["text"] == [["75%", "25%"], ["0%", "0%"]]
    assert trace["customdata"] == [[3, 1], [0, 0]]


def test_methods_stand_by_their_accuracy_from_the_fewest_shots_which_come_first():
    rows = [("10-shot", "raw", 0.9, 0.01), ("10-shot", "unit", 0.8, 0.01)]
    rows += [("2-shot", "raw", 0.5, 0.02), ("2-shot", "unit", 0.6, 0.02)]
    few, many = charts.methods(rows)["data"]
    assert (few["name"], few["y"], few["x"]) == ("2-shot", ["raw", "unit"], [0.5, 0.6]), "the last stands on top"
    assert (many["name"], many["x"], many["error_x"]["array"]) == ("10-shot", [0.9, 0.8], [0.01, 0.01])


def test_four_numbers_of_shots_have_four_looks():
    rows = [(f"{shots}-shot", "raw", 0.5, 0.1) for shots in (1, 2, 5, 10)]
    looks = {(trace["marker"]["color"], trace["marker"]["symbol"]) for trace in charts.methods(rows)["data"]}
    assert len(looks) == 4


def test_a_class_without_a_value_has_no_bar_and_leaves_valid_json():
    chart = charts.bars(["a", "b"], {"report": ([None, 0.5], None), "here": ([0.25, float("nan")], [0.1, 0.1])}, "t")
    report, here = json.loads(json.dumps(chart, allow_nan=False))["data"]
    assert report["y"] == [None, 0.5] and here["y"] == [0.25, None]
