"""Packed forms of the data turned into the bytes of the official files, in bounded memory whatever the input.

Everything here may be given broken or hostile input; it ends in the data or in a UserError.
"""

import io
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np
from PIL import Image

from oneshot.errors import UserError

_BLOCK = 512  # bytes of a tar header, and what a member's data are padded to


def gunzip(stream: BinaryIO, size: int) -> bytes:
    """Decompress a gzip stream that must hold exactly `size` bytes; raises UserError where it does not."""
    content = _Gunzip(stream).read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else len(content)
        raise UserError(f"the gzip file holds {found} bytes instead of {size}")
    return content


def tar_members(stream: BinaryIO, wanted: Mapping[str, int], limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the wanted regular files of a .tar.gz, in the archive's order; skip all else.

    wanted: the most bytes that each name may have; limit: the most bytes that the archive may unpack to.
    Names are only compared, never used as paths. Raises UserError where the archive is broken or too large, and for a
    wanted member that is not a regular file, is too large, or occurs twice.
    """
    # Not tarfile: it reads extended headers of any declared size into memory, and follows sizes backwards.
    file = _Gunzip(stream)
    seen = set()
    while limit > 0:
        header = file.read(_BLOCK)
        if not header.strip(b"\0"):
            return
        name, size, regular = _tar_header(header)
        padded = -(-size // _BLOCK) * _BLOCK
        limit -= _BLOCK + padded
        if limit < 0:
            break
        if name not in wanted:
            _skip(file, padded)
            continue
        if not regular or name in seen:
            raise UserError(f"the archive's {name} {'occurs twice' if name in seen else 'is not a regular file'}")
        if size > wanted[name]:
            raise UserError(f"the archive's {name} has {size} bytes, more than the {wanted[name]} it may have")
        seen.add(name)
        content = file.read(padded)
        if len(content) < padded:
            raise UserError(f"the archive ends within {name}")
        yield name, content[:size]
    raise UserError("the archive unpacks to more than it may")


def png_rows(content: bytes, count: int) -> np.ndarray:
    """Decode a PNG of one image a row, its 32 x 32 RGB pixels in reading order: (count, 32, 32, 3) uint8.

    Raises UserError where it is not a PNG of 1024 x count RGB pixels.
    """
    try:
        # Opening reads the header only, so that a small file that claims many pixels is refused before it is unpacked.
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size != (1024, count) or image.mode != "RGB":
                width, height = image.size
                raise UserError(f"the PNG is {width} x {height} {image.mode}, not 1024 x {count} RGB")
            pixels = np.asarray(image)
    except UserError:
        raise
    except Exception as error:  # Pillow ends in many kinds of errors on a broken file
        raise UserError(f"the PNG cannot be decoded ({error})") from None
    return pixels.reshape(count, 32, 32, 3)


def json_labels(content: bytes, count: int) -> np.ndarray:
    """Read a JSON list of `count` labels in 0..9: (count,) uint8; raises UserError where it is anything else."""
    try:
        labels = json.loads(content)
    except (ValueError, RecursionError):
        raise UserError("the labels are not JSON") from None
    if not isinstance(labels, list) or len(labels) != count:
        raise UserError(f"the labels are not a list of {count} numbers")
    if not all(type(label) is int and 0 <= label <= 9 for label in labels):
        raise UserError("the labels are not all whole numbers in 0..9")
    return np.array(labels, np.uint8)


def cifar_batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Encode images (n, 32, 32, 3) uint8 and labels (n,) uint8 as a CIFAR-10 binary batch of n * 3073 bytes."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([labels[:, None], planes], axis=1).tobytes()


def _tar_header(header: bytes) -> tuple[str, int, bool]:
    """Take the name, the size in bytes, and whether it is a regular file from the header of a tar member."""
    try:
        checksum = int(header[148:156].strip(b" \0"), 8)
        size = int(header[124:136].strip(b" \0") or b"0", 8)
    except ValueError:
        raise UserError("the archive is not a tar file") from None
    if len(header) < _BLOCK or size < 0 or checksum != sum(header[:148]) + 8 * ord(" ") + sum(header[156:]):
        raise UserError("the archive is not a tar file, or is cut off")
    name = header[:100].partition(b"\0")[0].decode("latin-1")
    return name.removeprefix("./"), size, header[156:157] in (b"0", b"\0")


def _skip(file: "_Gunzip", size: int) -> None:
    while size > 0:
        chunk = file.read(min(size, 1 << 20))
        if not chunk:
            raise UserError("the archive is cut off")
        size -= len(chunk)


class _Gunzip:
    """The bytes of the one member of a gzip stream.

    Not gzip.GzipFile: it takes minutes over a header of many megabytes, or over millions of empty members.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._decompressor = zlib.decompressobj(wbits=31)

    def read(self, size: int) -> bytes:
        """Read `size` bytes, or fewer at the end; raises UserError where the stream is broken or cut off."""
        parts = []
        while size > 0 and not self._decompressor.eof:
            packed = self._decompressor.unconsumed_tail or self._stream.read(1 << 14)
            try:
                part = self._decompressor.decompress(packed, size)
            except zlib.error:
                raise UserError("the file is no gzip file, or is altered") from None
            if not packed and not part and not self._decompressor.eof:
                raise UserError("the gzip file is cut off")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
