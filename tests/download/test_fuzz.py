"""Broken input for everything that reads files from the sources."""

import gzip
import io
import json
import struct
import tarfile
import zlib

import pytest

from oneshot.download.npm import json_labels, png_rows
from oneshot.download.unpack import gunzip, tar_members
from tests.helpers.fuzz import check_broken_inputs
from tests.helpers.packing import png, some_images, tar

IMAGES, _ = some_images(3)
WANTED = {"a/one": 600, "a/two": 40}
TAR = tar([("a/one", b"1" * 600, tarfile.REGTYPE), ("x", b"", tarfile.DIRTYPE), ("a/two", b"2" * 40, tarfile.REGTYPE)])


def with_sums_of_chunks(content: bytes) -> bytes:
    """Correct the checksums of a PNG's chunks, so that the reader gets as far as their contents."""
    out, place = bytearray(content[:8]), 8
    while place + 12 <= len(content):
        size = struct.unpack(">I", content[place : place + 4])[0]
        body = content[place + 4 : place + 8 + size]
        out += content[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + size
    return bytes(out)


def with_sums_of_members(content: bytes) -> bytes:
    """Correct the checksum of every header-like block of a tar file."""
    out = bytearray(content)
    for place in range(0, len(out) - 511, 512):
        if out[place + 257 : place + 262] == b"ustar":
            out[place + 148 : place + 156] = b" " * 8
            out[place + 148 : place + 156] = b"%06o\0 " % sum(out[place : place + 512])
    return bytes(out)


def check_png(content, path):
    assert png_rows(content, 3).shape == (3, 32, 32, 3)


def check_labels(content, path):
    found = json_labels(content, 30)
    assert found.shape == (30,)
    assert found.max() <= 9


def check_gzip(content, path):
    assert len(gunzip(io.BytesIO(content), len(TAR))) == len(TAR)


def check_tar(content, path):
    found = dict(tar_members(io.BytesIO(content), WANTED, 1 << 20))
    assert all(len(found[name]) <= WANTED[name] for name in found)


CASES = {
    "png": (check_png, png(IMAGES), bytes),
    "png with good sums": (check_png, png(IMAGES), with_sums_of_chunks),
    "json": (check_labels, json.dumps([1, 2, 3] * 10).encode(), bytes),
    "gzip": (check_gzip, gzip.compress(TAR), bytes),
    "tar.gz": (check_tar, gzip.compress(TAR), bytes),
    "tar": (check_tar, TAR, gzip.compress),
    "tar with good sums": (check_tar, TAR, lambda content: gzip.compress(with_sums_of_members(content), 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_broken_input(name, tmp_path, monkeypatch):
    check, good, finish = CASES[name]
    check_broken_inputs(name, check, good, tmp_path / "file", monkeypatch, finish)
