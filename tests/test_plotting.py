import io

import numpy as np
import pytest
from PIL import Image

from oneshot.confusion import confusion_table
from oneshot.palette import CIFAR10_NAMES, COLOURS, MARKERS
from oneshot.plotting import draw_confusion, draw_scatter, label_points


def scatter(dimensions, labels=(6, 7, 8, 9)):
    rng = np.random.default_rng(0)
    labels = np.repeat(labels, 5)
    columns = ("x", "y", "z")[:dimensions]
    table = label_points(rng.normal(size=(len(labels), dimensions)), columns, labels, CIFAR10_NAMES)
    return draw_scatter({"one": table}, columns, [f"{column} (no unit)" for column in columns])


def confusion():
    return draw_confusion({"one-shot": confusion_table(np.arange(16).reshape(4, 4), CIFAR10_NAMES[6:])})


@pytest.mark.parametrize("draw", [confusion, lambda: scatter(2), lambda: scatter(3)], ids=["confusion", "2-D", "3-D"])
def test_pictures_are_the_same_bytes_each_time_and_carry_no_version_or_date(draw):
    content = draw()
    assert content == draw()
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    assert set(image.info) <= {"dpi"}
    assert len(image.convert("RGB").getcolors(2**24)) > 20


def test_a_class_keeps_its_colour_whatever_is_drawn_beside_it():
    def count(content, label):
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
        # The points are drawn with an opacity of 0.85 on white.
        wanted = 255 - 0.85 * (255 - np.array([int(COLOURS[label][at : at + 2], 16) for at in (1, 3, 5)]))
        return int((np.abs(pixels - wanted).max(-1) <= 1).sum())

    assert count(scatter(2, labels=(8,)), 8) > 100
    assert count(scatter(2, labels=(6, 8)), 8) > 100
    assert count(scatter(2, labels=(6, 7)), 8) == 0


def test_an_empty_class_of_a_confusion_matrix_is_drawn():
    assert draw_confusion({"empty": confusion_table(np.zeros((2, 2), int), ["a", "b"])})


def test_points_are_labelled_with_number_and_name():
    table = label_points(np.array([[1.0, 2.0]]), ("x", "y"), np.array([8], np.uint8), CIFAR10_NAMES)
    assert table.to_dict("list") == {"x": [1.0], "y": [2.0], "label": [8], "class": ["ship"]}


def test_ten_classes_have_ten_names_colours_and_markers():
    assert len(set(CIFAR10_NAMES)) == len(set(COLOURS)) == len(MARKERS) == 10
    # Classes that are drawn together never share a marker.
    for together in (range(6), range(6, 10), range(5), range(5, 10)):
        assert len({MARKERS[label] for label in together}) == len(together)
