"""Pictures: the same bytes each time, each class in its own colour, one panel per part."""

import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from oneshot.datasets.cifar10 import NAMES
from oneshot.evaluation.confusion import to_table
from oneshot.evaluation.projections import point_table
from oneshot.plotting.figures import by_part, draw_confusion, draw_scatter
from oneshot.plotting.palette import COLOURS


def points(dimensions, labels=(6, 7, 8, 9), part="one", scale=1.0):
    rng = np.random.default_rng(0)
    labels = np.repeat(labels, 5)
    return point_table(scale * rng.normal(size=(len(labels), dimensions)), labels, NAMES, part)


def scatter(dimensions, labels=(6, 7, 8, 9)):
    return draw_scatter({"one": points(dimensions, labels)}, one_space=True)


def confusion():
    return draw_confusion({"one-shot": to_table(np.arange(16).reshape(4, 4), NAMES[6:])})


@pytest.mark.parametrize("draw", [confusion, lambda: scatter(2), lambda: scatter(3)], ids=["confusion", "2-D", "3-D"])
def test_pictures_are_the_same_bytes_each_time_and_carry_no_version_or_date(draw):
    content = draw()
    assert content == draw()
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    assert set(image.info) <= {"dpi"}
    assert len(image.convert("RGB").getcolors(2**24)) > 20


@pytest.mark.parametrize("draw", [confusion, lambda: scatter(2)], ids=["confusion", "scatter"])
def test_no_setting_of_matplotlib_changes_a_picture(draw):
    """Such as those of a matplotlibrc in the working folder, which none of its variables turns off."""
    wanted = draw()
    hostile = {"font.size": 31, "axes.facecolor": "black", "savefig.dpi": 30, "lines.linewidth": 9, "axes.grid": True}
    with matplotlib.rc_context(hostile):
        assert draw() == wanted
        assert matplotlib.rcParams["font.size"] == 31


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def test_a_class_keeps_its_colour_whatever_is_drawn_beside_it():
    def count(content, label):
        # The points are drawn with an opacity of 0.85 on white.
        wanted = 255 - 0.85 * (255 - np.array([int(COLOURS[label][at : at + 2], 16) for at in (1, 3, 5)]))
        return int((np.abs(pixels(content) - wanted).max(-1) <= 1).sum())

    assert count(scatter(2, labels=(8,)), 8) > 100
    assert count(scatter(2, labels=(6, 8)), 8) > 100
    assert count(scatter(2, labels=(6, 7)), 8) == 0


def test_panels_share_their_axes_if_they_show_the_same_space_only():
    panels = {"near": points(2), "far": points(2, scale=100)}

    def coloured(content):
        """Columns of the left panel in which a class's colour shows."""
        half = pixels(content)[:800, : pixels(content).shape[1] // 2]
        return int((np.ptp(half, axis=-1) > 60).any(0).sum())

    together, apart = (coloured(draw_scatter(panels, one_space=shared)) for shared in (True, False))
    assert together * 3 < apart


def test_an_empty_class_of_a_confusion_matrix_is_drawn():
    assert draw_confusion({"empty": to_table(np.zeros((2, 2), int), ["a", "b"])})


def test_a_table_has_a_panel_per_part_in_the_order_of_its_rows():
    table = pd.concat([points(2, part="unseen"), points(2, part="seen")])
    panels = by_part(table, "siamese-2d")
    assert list(panels) == ["siamese-2d: unseen", "siamese-2d: seen"]
    assert panels["siamese-2d: seen"].equals(points(2, part="seen"))


def test_a_table_without_parts_is_one_panel():
    table = to_table(np.eye(2, dtype=int), ["a", "b"])
    panels = by_part(table, "6-class")
    assert list(panels) == ["6-class"] and panels["6-class"] is table


def test_a_title_too_long_for_its_panel_has_two_lines():
    part = "PCA (84% and 7% of the variance)"
    assert list(by_part(points(2, part=part), "one_shot_cifar10")) == [f"one_shot_cifar10\n{part}"]


def test_the_picture_says_how_many_shots_its_table_has():
    table = to_table(np.eye(2, dtype=int), ["a", "b"])
    few, many = (draw_confusion({"one": table.assign(shots=shots)}) for shots in (2, 10))
    # The caption is below the axes; everything above is the same.
    where = np.flatnonzero((pixels(few) != pixels(many)).any(axis=(1, 2)))
    assert where.min() > 0.9 * len(pixels(few))
