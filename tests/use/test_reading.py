"""Any image as an array: real photographs and images of every mode as they look, broken and hostile files refused."""

import io
import os
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, features
from sklearn.datasets import load_sample_images

from oneshot.core.errors import shown
from oneshot.use.mistakes import InputError
from oneshot.use.reading import ENDINGS, read
from tests.helpers.fuzz import check_broken_inputs

PHOTOGRAPHS = load_sample_images()


def corners() -> np.ndarray:
    """An image whose corners are red, green, blue and grey: (16, 24, 3) uint8."""
    image = np.full((16, 24, 3), 255, np.uint8)
    image[:8, :12], image[:8, 12:], image[8:, :12], image[8:, 12:] = (250, 0, 0), (0, 240, 0), (0, 0, 230), (90, 90, 90)
    return image


def test_a_photograph_is_read_as_scikit_learn_reads_it():
    for path, expected in zip(PHOTOGRAPHS.filenames, PHOTOGRAPHS.images, strict=True):
        found = read(path)
        # The sides are 427 and 640, too short to be decoded at half the size.
        assert found.dtype == np.uint8 and np.array_equal(found, expected)


def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same(tmp_path):
    photograph = Image.fromarray(PHOTOGRAPHS.images[0])
    photograph.resize((2560, 1708)).save(tmp_path / "large.jpg", quality=95)
    found = read(tmp_path / "large.jpg")
    assert found.shape == (427, 640, 3)
    assert np.abs(found.astype(int) - PHOTOGRAPHS.images[0]).mean() < 3


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif", ".webp", ".ppm", ".tga", ".jp2", ".gif"])
def test_formats_without_loss_give_the_pixels(tmp_path, ending):
    if ending == ".jp2" and not features.check("jpg_2000"):
        pytest.skip("Pillow was built without JPEG 2000")
    path = tmp_path / f"image{ending}"
    Image.fromarray(corners()).save(path, **({"lossless": True} if ending == ".webp" else {}))
    assert ending in ENDINGS
    assert np.abs(read(path).astype(int) - corners()).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
def test_the_turn_of_the_camera_is_applied(tmp_path, orientation, ending):
    """What is stored is turned back by the inverse of each turn of the EXIF standard."""
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](corners())
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"image{ending}"
    Image.fromarray(np.ascontiguousarray(stored)).save(
        path, exif=exif, **({"quality": 100} if ending != ".tif" else {})
    )
    found = read(path)
    assert found.shape == (16, 24, 3)
    for row, column in ((3, 3), (3, 20), (12, 3), (12, 20)):
        assert np.abs(found[row, column].astype(int) - corners()[row, column]).max() < 25


@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_the_turn_is_applied_to_transparent_and_16_bit_images(tmp_path, mode):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    image = Image.fromarray(np.ascontiguousarray(np.rot90(corners(), 1)))
    if mode == "RGBA":
        image.putalpha(255)
    else:
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    image.save(tmp_path / "image.png", exif=exif)
    expected = np.asarray(Image.fromarray(corners()).convert("RGB" if mode == "RGBA" else "L").convert("RGB"))
    assert np.abs(read(tmp_path / "image.png").astype(int) - expected).max() <= 1


def test_what_is_transparent_is_white(tmp_path):
    pixels = np.dstack([corners(), np.full((16, 24), 255, np.uint8)])
    pixels[:8, :, 3] = 0
    pixels[8:, :, 3] = 51
    expected = np.full((16, 24, 3), 255.0)
    expected[8:] = 0.2 * corners()[8:] + 0.8 * 255
    image = Image.fromarray(pixels)
    image.save(tmp_path / "rgba.png")
    image.convert("LA").save(tmp_path / "la.png")
    assert np.abs(read(tmp_path / "rgba.png") - expected).max() <= 1
    assert (read(tmp_path / "la.png")[:8] == 255).all()


def test_white_ink_on_a_transparent_ground_is_seen(tmp_path):
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[8:32, 18:22] = 255
    Image.fromarray(pixels).save(tmp_path / "ink.png")
    found = read(tmp_path / "ink.png")
    assert (found[8:32, 18:22] == 255).all() and (found[:, :18] == 0).all()
    Image.fromarray(np.zeros_like(pixels)).save(tmp_path / "nothing.png")
    assert (read(tmp_path / "nothing.png") == 255).all()


def test_a_palette_with_a_transparent_colour(tmp_path):
    image = Image.fromarray(np.repeat([[0, 1, 2]], 4, 0).astype(np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "some.gif", transparency=1)
    image.save(tmp_path / "some.png", transparency=1)
    for name in ("some.gif", "some.png"):
        assert read(tmp_path / name)[0].tolist() == [[255, 0, 0], [255, 255, 255], [0, 0, 255]]


def test_grey_and_black_and_white(tmp_path):
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey > 100).save(tmp_path / "bits.png")
    assert np.array_equal(read(tmp_path / "grey.png"), np.repeat(grey[..., None], 3, 2))
    assert np.array_equal(read(tmp_path / "bits.png")[..., 0], np.where(grey > 100, 255, 0))


@pytest.mark.parametrize("ending", [".png", ".tif", ".pgm"])
def test_sixteen_bits_become_eight(tmp_path, ending):
    values = np.array([[0, 257 * 100], [257 * 200, 65535]], np.uint16)
    path = tmp_path / f"deep{ending}"
    Image.fromarray(values).save(path)
    assert read(path)[..., 0].tolist() == [[0, 100], [200, 255]]
    assert read(values)[..., 0].tolist() == [[0, 100], [200, 255]]


def test_floats_have_the_range_that_they_have(tmp_path):
    Image.fromarray(np.array([[-1, 0], [1, np.nan]], np.float32)).save(tmp_path / "f.tif")
    assert read(tmp_path / "f.tif")[..., 1].tolist() == [[0, 128], [255, 128]]
    Image.fromarray(np.full((3, 3), 7.5, np.float32)).save(tmp_path / "even.tif")
    assert (read(tmp_path / "even.tif") == 0).all()
    Image.fromarray(np.array([[-np.inf, 0], [1, np.inf]], np.float32)).save(tmp_path / "endless.tif")
    assert read(tmp_path / "endless.tif")[..., 1].tolist() == [[0, 0], [255, 255]]


def test_arrays_of_floats_and_of_wide_integers_are_those_of_bytes():
    image = corners()
    bytes_of = np.array(image)
    assert np.array_equal(read(bytes_of / 255), read(image))
    assert np.array_equal(read(bytes_of.astype(np.int64)), read(image))


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_heic_picture_is_turned_as_its_camera_says(tmp_path: Path, turn: int):
    pixels = np.zeros((48, 80, 3), np.uint8)
    pixels[:, :40, 0] = pixels[24:, :, 1] = 250
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    # As telephones do, in the container; that of EXIF, which it repeats, is for others.
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(tmp_path / "a.heic", quality=-1, exif=exif.tobytes())
    found, expected = read(tmp_path / "a.heic"), read(tmp_path / "a.png")
    assert found.shape == expected.shape and np.abs(found.astype(int) - expected).max() <= 20


def test_a_broken_heic_picture_is_a_sentence(tmp_path: Path):
    (tmp_path / "a.heic").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a.heic cannot be read as an image"):
        read(tmp_path / "a.heic")


def test_a_heic_picture_without_its_package_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.HEIC").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InputError, match=r"a.HEIC is a HEIC picture: pip install pillow-heif, or convert it to JPEG"):
        read(tmp_path / "a.HEIC")


def test_threads_leave_warnings_as_they_are():
    before = list(warnings.filters)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: read(corners()), range(60)))
    assert warnings.filters == before


def test_cmyk_of_a_printer(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=100)
    assert np.abs(read(tmp_path / "cmyk.jpg").astype(int) - [255, 0, 0]).max() < 6


def test_arrays_and_pil_images_are_read_as_files_are():
    image = corners()
    assert np.array_equal(read(image), image)
    assert np.array_equal(read(Image.fromarray(image)), image)
    assert np.array_equal(read(image[..., :1])[..., 2], image[..., 0])
    assert np.array_equal(read(image[..., 0] > 100)[..., 0], np.where(image[..., 0] > 100, 255, 0))
    result = read(image)
    result[:] = 0
    assert image.any()


def png(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, and is not."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0")),
        (b"IEND", b""),
    ]
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def truncated() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PHOTOGRAPHS.images[1]).save(buffer, format="jpeg")
    return buffer.getvalue()[:9000]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"I am no image\n", "is no image that Pillow can read: remove it or convert it to PNG"),
        (b"", "is no image that Pillow can read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "is no image that Pillow"),
        (truncated(), "cannot be read as an image .*truncated.*: remove it or save it again"),
        (png(100, 100), "cannot be read as an image"),
        (png(30_000, 30_000), "has more than 64 million pixels: save it smaller"),
        (png(10_000, 9_000), "has 10000 x 9000 pixels, more than 64 million pixels"),
        (png(9_000, 8_000), "has 9000 x 8000 pixels, more than 64 million pixels"),
        (png(1, 1), "has 1 x 1 pixels: an image needs two in each direction"),
        (png(500, 1), "has 500 x 1 pixels"),
    ],
)
def test_what_is_no_usable_image_is_refused_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "a näme with spaces.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a näme with spaces.png {sentence}") as raised:
        read(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("mode", ["LAB", "HSV", "YCbCr", "CMYK"])
def test_a_pil_image_of_other_colours_looks_the_same(mode):
    found = read(Image.fromarray(corners()).convert(mode))
    assert np.abs(found.astype(int) - corners()).max() < 40  # LAB of 8 bits has few greens


def test_a_pil_image_of_a_mode_that_pillow_does_not_convert_is_refused():
    premultiplied = Image.fromarray(corners()).convert("LA").convert("La")
    with pytest.raises(InputError, match=r"the image cannot be read as an image .*La.*: remove it or save it again"):
        read(premultiplied)


@pytest.mark.parametrize("name", [None, "image 3"])
def test_a_pil_image_that_cannot_be_decoded_is_refused_in_a_sentence(name):
    """Pillow opens an image without reading it: what is broken shows when it is used."""
    sentence = f"^{name or 'the image'} cannot be read as an image .*truncated.*: remove it or save it again$"
    with pytest.raises(InputError, match=sentence):
        read(Image.open(io.BytesIO(truncated())), name)
    with pytest.raises(InputError, match="cannot be read as an image"):
        read(Image.open(io.BytesIO(png(100, 100))), name)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((4, 4), np.complex64), "has values of type complex64: give uint8"),
        (np.full((4, 4), 200.0), "has values from 200 to 200: give floats from 0 .black. to 1 .white."),
        (np.full((4, 4), np.nan), "has values from nan to nan: give floats from 0"),
        (np.full((4, 4), -1), "has values from -1 to -1: give integers from 0 .black. to 255"),
        (
            np.zeros((3, 40, 50), np.uint8),
            r"has the shape \(3, 40, 50\), channels first: give image.transpose\(1, 2, 0\)",
        ),
        (np.zeros((4, 4, 2), np.uint8), r"has the shape \(4, 4, 2\): an image is"),
        (np.zeros(4, np.uint8), r"has the shape \(4,\)"),
        (np.zeros((1, 4), np.uint8), "has 4 x 1 pixels"),
        (np.broadcast_to(np.uint8(0), (9_000, 9_000, 3)), "has 9000 x 9000 pixels, more than 64 million pixels"),
    ],
)
def test_arrays_that_are_no_images_are_refused(array, sentence):
    with pytest.raises(InputError, match=f"the image {sentence}"):
        read(array)


def test_a_missing_file_a_folder_and_a_device_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.png is missing"):
        read(tmp_path / "none.png")
    with pytest.raises(InputError, match="is no file: give"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="is no file: give"):
        read(tmp_path / "pipe.png")
    with pytest.raises(InputError, match=r"cannot be opened|missing"):
        read("a" * 5000)


def test_names_can_be_printed():
    assert shown(Path("a b/é.png")) == "a b/é.png"
    assert shown("a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert shown(os.fsdecode(b"\xff.png")) == "\\udcff.png"


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "webp", "bmp"])
def test_broken_files(kind, tmp_path, monkeypatch):
    """Headers, and what Pillow makes of them: mode, size, transparency."""
    buffer = io.BytesIO()
    Image.fromarray(corners()).save(buffer, format=kind)

    def check(content: bytes, path: Path) -> None:
        path.write_bytes(content)
        found = read(path)
        assert found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3

    check_broken_inputs(kind, check, buffer.getvalue(), tmp_path / "image", monkeypatch, inputs=400)
