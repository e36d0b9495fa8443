"""The picture of a trial: a PNG, the same bytes each time, whatever the classes are called and how many they are."""

import io

import numpy as np
import pytest
from PIL import Image

from oneshot.use import picture, trial


def some(ways: int, images: int = 3) -> trial.Trial:
    labels = np.repeat(np.arange(ways), images)
    features = np.random.default_rng(ways).normal(labels[:, None], 0.5, (len(labels), 4))
    return trial.run(features, labels, [str(way) for way in range(ways)], episodes=4, seed=1)


@pytest.mark.parametrize(
    "names",
    [
        ["cat", "dog"],
        ["a $b$ $", "_^\\frac", "猫", "ж" * 300],
        [f"class {number}" for number in range(25)],
        [f"class {number}" for number in range(70)],
    ],
)
def test_any_names_and_numbers_of_classes(names, recwarn):
    drawn = picture.draw(some(len(names)), names, "3 $x$ classes")
    image = Image.open(io.BytesIO(drawn))
    assert image.format == "PNG" and image.size == (1440, 648)
    assert drawn == picture.draw(some(len(names)), names, "3 $x$ classes")
    assert all("Glyph" in str(warning.message) for warning in recwarn.list)


def test_one_number_of_examples_is_a_curve_of_one_point():
    assert len(picture.draw(some(3, images=2), ["a", "b", "c"], "few")) > 5000
