"""Contact sheets: each image in its tile, the same bytes each time, no date."""

import base64
import io

import numpy as np
from PIL import Image

from oneshot.page.sheets import sheet


def picture(laid: dict) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(laid["uri"].partition(",")[2])))


def test_each_grey_image_stands_in_its_tile_to_sixteen_levels():
    images = np.random.default_rng(0).integers(256, size=(7, 28, 28), dtype=np.uint8)
    laid = sheet(images, 3)
    assert (laid["columns"], laid["rows"]) == (3, 3)
    pixels = np.asarray(picture(laid).convert("L")).astype(int)
    assert pixels.shape == (84, 84)
    for place, image in enumerate(images):
        top, left = 28 * (place // 3), 28 * (place % 3)
        assert np.abs(pixels[top : top + 28, left : left + 28] - image).max() <= 8
    assert (pixels[56:, 28:] == 0).all()


def test_each_colour_image_stands_in_its_tile():
    images = np.repeat(np.arange(0, 250, 50, dtype=np.uint8), 32 * 32 * 3).reshape(5, 32, 32, 3)
    pixels = np.asarray(picture(sheet(images, 2))).astype(int)
    assert pixels.shape == (96, 64, 3)
    for place, image in enumerate(images):
        top, left = 32 * (place // 2), 32 * (place % 2)
        assert np.abs(pixels[top : top + 32, left : left + 32] - image).max() <= 4


def test_the_same_bytes_each_time_and_no_date():
    images = np.random.default_rng(0).integers(256, size=(4, 32, 32, 3), dtype=np.uint8)
    assert sheet(images) == sheet(images)
    for some in (images, images[..., 0]):
        assert not {"date", "exif", "Software", "tIME"} & picture(sheet(some)).info.keys()
