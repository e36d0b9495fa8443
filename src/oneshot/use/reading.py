"""Any image as an array: what Pillow can read, turned as its camera says, on white, as 8-bit RGB."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from oneshot.core.errors import shown
from oneshot.use.mistakes import InputError

# 64 million pixels take about a gigabyte while they are decoded.
MOST_PIXELS = 64_000_000
# A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where its sides stay at least this long: several times faster.
_ENOUGH = 256
# Levels of grey, of 255: what differs less from white cannot be seen on it.
_FAINT = 25

# What Pillow knows by name alone, or reads by starting another program, which an untrusted file must not.
_REFUSED = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
Image.init()
_FORMATS = sorted(set(Image.OPEN) - _REFUSED)
# Of the files in a folder, those with such an ending are images.
_HEIC = frozenset({".heic", ".heif"})
# .mpo is a JPEG with several pictures.
ENDINGS = _HEIC | {".mpo"} | {ending for ending, kind in Image.registered_extensions().items() if kind in _FORMATS}

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Source = str | Path | Image.Image | np.ndarray


def read(source: Source, name: str | None = None) -> np.ndarray:
    """Read one image: (height, width, 3) uint8, RGB.

    source: a file, a PIL image, or an array (height, width[, 1, 3 or 4]) of uint8, uint16 or bool, of other integers
    from 0 to 255, or of floats from 0 to 1; name: what an error calls it, the file's name by default. The turn that a
    camera notes (EXIF) is applied; what is transparent becomes white, or black under white ink; 16 bits become 8; in
    files, floats and what Pillow opens as 32 bits (16-bit PGM too) have no fixed white, so that their range becomes
    0..255; of several frames the first is read; colour profiles are not used. HEIC files need the package pillow-heif.
    Raises InputError if the file is missing or is no image that Pillow reads whole, has more than 64 million pixels, or
    has a side of one pixel.
    """
    if isinstance(source, np.ndarray):
        return _of_array(source, name or "the image")
    if isinstance(source, Image.Image):
        name = name or "the image"
        with _refusals(name):  # Pillow decodes an image that was opened only now
            return _of_image(source, name)
    path, name = Path(source), name or shown(source)
    try:
        if not path.is_file():
            raise InputError(f"{name} is {'no file' if path.exists() else 'missing'}: give the path of an image")
        with path.open("rb") as file:
            return _of_heic(file, name) if path.suffix.lower() in _HEIC else _of_file(file, name)
    except PermissionError:
        raise InputError(f"{name} cannot be opened: you have no permission to read it") from None
    except OSError as error:
        raise InputError(f"{name} cannot be opened ({error.strerror}): give the path of an image") from None


def _of_file(file, name: str) -> np.ndarray:
    with _refusals(name), Image.open(file, formats=_FORMATS) as image:
        _check_size(image.size, name)
        image.draft(None, (_ENOUGH, _ENOUGH))
        image.load()
        return _of_image(image, name)


def _of_heic(file, name: str) -> np.ndarray:
    try:
        import pillow_heif
    except ImportError:
        raise InputError(f"{name} is a HEIC picture: pip install pillow-heif, or convert it to JPEG") from None
    with _refusals(name):
        opened = pillow_heif.open_heif(file)
        _check_size(opened.size, name)
        return _of_image(opened.to_pillow(), name)


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Raise InputError for whatever Pillow raises while it opens, decodes or converts an image.

    Its warning of many pixels needs no care: `_check_size` refuses fewer, before anything is decoded.
    """
    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(_too_large(name)) from None
    except Image.UnidentifiedImageError:
        raise InputError(f"{name} is no image that Pillow can read: remove it or convert it to PNG") from None
    except Exception as error:
        # Decoders raise whatever they stumble over: OSError, SyntaxError, struct.error, IndexError and more.
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise InputError(f"{name} cannot be read as an image ({reason}): remove it or save it again") from None


def _of_image(image: Image.Image, name: str) -> np.ndarray:
    _check_size(image.size, name)
    turn = _TURNS.get(_orientation(image))  # of the file: an image that is made from it has none
    if image.mode.startswith(("I;16", "I", "F")):
        # Pillow would cut off what is above 255.
        image = Image.fromarray(_bytes_of(np.asarray(image)))
    elif image.has_transparency_data:
        image = _on_paper(image.convert("RGBA"))
    image = image.convert("RGB")
    return np.array(image if turn is None else image.transpose(turn))


def _on_paper(image: Image.Image) -> Image.Image:
    """Put a transparent image on white, or on black if white would hide all of it: white ink."""
    white, black = (
        Image.alpha_composite(Image.new("RGBA", image.size, colour), image).convert("RGB")
        for colour in ("white", "black")
    )
    darkest, brightest = np.asarray(white.convert("L")).min(), np.asarray(black.convert("L")).max()
    return black if darkest > 255 - _FAINT and brightest > _FAINT else white


def _of_array(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
        raise InputError(f"{name} has the shape {array.shape}, channels first: give image.transpose(1, 2, 0)")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InputError(f"{name} has the shape {array.shape}: an image is (height, width) or (height, width, 3)")
    _check_size((array.shape[1], array.shape[0]), name)
    array = _byte_array(array, name)
    return _of_image(Image.fromarray(np.ascontiguousarray(array[..., 0] if array.shape[2:] == (1,) else array)), name)


def _byte_array(array: np.ndarray, name: str) -> np.ndarray:
    """The values of an array as uint8."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array * np.uint8(255)
    if array.dtype == np.uint16:
        return _bytes_of(array)
    most = {"i": 255, "u": 255, "f": 1}.get(array.dtype.kind)
    if most is None:
        raise InputError(f"{name} has values of type {array.dtype}: give uint8, 0 (black) to 255 (white)")
    low, high = array.min(), array.max()
    # Written so that nan is refused too.
    if not (low >= 0 and high <= most):
        kind = "floats from 0 (black) to 1 (white)" if most == 1 else "integers from 0 (black) to 255 (white)"
        raise InputError(f"{name} has values from {low:g} to {high:g}: give {kind}")
    return np.round(array * (255 // most)).astype(np.uint8)


def _bytes_of(values: np.ndarray) -> np.ndarray:
    """Values of more than 8 bits as uint8: 16 bits by their fixed white, others by the range that they have."""
    if values.dtype.itemsize == 2:
        return np.round(values / np.float32(257)).astype(np.uint8)
    values = values.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    # Infinity is the end of the range on its side; what is no number counts as 0.
    values = np.clip(np.nan_to_num(values, nan=0.0, posinf=high, neginf=low), low, high)
    return np.round((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _orientation(image: Image.Image) -> int:
    """How the camera was held, by EXIF: 1 (upright) to 8; 1 where nothing readable says it."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        # Notes of a camera that cannot be read make no bad image.
        return 1


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise InputError(_too_large(name, f"{width} x {height} pixels, "))
    if min(size) < 2:
        raise InputError(f"{name} has {width} x {height} pixels: an image needs two in each direction, better 32")


def _too_large(name: str, size: str = "") -> str:
    return f"{name} has {size}more than {MOST_PIXELS // 10**6} million pixels: save it smaller, 500 x 500 is plenty"
