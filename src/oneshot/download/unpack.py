"""gzip and tar, unpacked in bounded memory whatever the input.

Broken or hostile input raises UserError. Nothing is written to disk. (pooch's processors write whatever an archive
holds, without a bound.)
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from oneshot.core.errors import UserError

_BLOCK = 512  # bytes of a tar header, and what a member's data are padded to


def gunzip(stream: BinaryIO, size: int) -> bytes:
    """Decompress a gzip stream that must hold exactly `size` bytes; raises UserError if it does not."""
    content = _Gunzip(stream).read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else len(content)
        raise UserError(f"the gzip file holds {found} bytes instead of {size}")
    return content


def tar_members(stream: BinaryIO, wanted: Mapping[str, int], limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the wanted regular files of a .tar.gz, in the archive's order; skip all else.

    wanted: the most bytes that each name may have; limit: the most bytes that the archive may unpack to.
    Names are only compared, never used as paths. Raises UserError if the archive is broken or too large, or if a
    wanted member is not a regular file, is too large, or occurs twice.
    """
    # Not tarfile, which reads extended headers of any declared size into memory and accepts negative sizes.
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
            raise UserError(f"the archive's {name} has {size} bytes, more than the allowed {wanted[name]}")
        seen.add(name)
        content = file.read(padded)
        if len(content) < padded:
            raise UserError(f"the archive ends within {name}")
        yield name, content[:size]
    raise UserError("the archive unpacks to more bytes than allowed")


def _tar_header(header: bytes) -> tuple[str, int, bool]:
    """Return the name, the size in bytes, and whether it is a regular file, from the header of a tar member."""
    try:
        checksum = int(header[148:156].strip(b" \0"), 8)
        size = int(header[124:136].strip(b" \0") or b"0", 8)
    except ValueError:
        raise UserError("the archive is not a tar file") from None
    if len(header) < _BLOCK or size < 0 or checksum != sum(header[:148]) + 8 * ord(" ") + sum(header[156:]):
        raise UserError("the archive is not a tar file, or is truncated")
    name = header[:100].partition(b"\0")[0].decode("latin-1")
    return name.removeprefix("./"), size, header[156:157] in (b"0", b"\0")


def _skip(file: "_Gunzip", size: int) -> None:
    while size > 0:
        chunk = file.read(min(size, 1 << 20))
        if not chunk:
            raise UserError("the archive is truncated")
        size -= len(chunk)


class _Gunzip:
    """The bytes of a gzip stream with a single member.

    Not gzip.GzipFile, which takes minutes for a header of many megabytes or for millions of empty members.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._decompressor = zlib.decompressobj(wbits=31)

    def read(self, size: int) -> bytes:
        """Read `size` bytes, or fewer at the end; raises UserError if the stream is broken or truncated."""
        parts = []
        while size > 0 and not self._decompressor.eof:
            packed = self._decompressor.unconsumed_tail or self._stream.read(1 << 14)
            try:
                part = self._decompressor.decompress(packed, size)
            except zlib.error:
                raise UserError("the file is not a gzip file, or is altered") from None
            if not packed and not part and not self._decompressor.eof:
                raise UserError("the gzip file is truncated")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
