"""Broken input for every reader: 1,000 inputs each, made from good ones by a fixed seed.

Each ends in data of the right form or in a UserError, in under 2 seconds, with the process's memory growing by less
than 256 MiB over all of them, and with no file written.
"""

import gzip
import io
import json
import os
import resource
import struct
import sys
import tarfile
import time
import zlib

import numpy as np
import pytest
from packing import naive_batch, png, some_images, tar

from oneshot.datasets import read_cifar_batch, read_idx
from oneshot.decode import gunzip, json_labels, png_rows, tar_members
from oneshot.errors import UserError

INPUTS = 1000
IMAGES, LABELS = some_images(3)
WANTED = {"a/one": 600, "a/two": 40}
TAR = tar([("a/one", b"1" * 600, tarfile.REGTYPE), ("x", b"", tarfile.DIRTYPE), ("a/two", b"2" * 40, tarfile.REGTYPE)])


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """Change some bytes, cut, repeat, insert, or replace all; half of the time near the start, where headers are."""
    content = bytearray(content)
    place = int(random.integers(min(len(content), 64) if random.random() < 0.5 else len(content)))
    size = int(random.choice([1, 2, 4, 16, 300]))
    kind = random.integers(7)
    if kind <= 1:
        for _ in range(int(random.integers(1, 5))):
            content[min(place + int(random.integers(16)), len(content) - 1)] = int(random.integers(256))
    elif kind == 2:
        del content[place:]
    elif kind == 3:
        content[place:place] = content[place : place + size] * int(random.integers(1, 50))
    elif kind == 4:
        content[place:place] = random.bytes(size)
    elif kind == 5:
        content[place : place + size] = bytes([int(random.choice([0, 0x37, 0xFF]))]) * size
    else:
        return random.bytes(place)
    return bytes(content)


def with_sums_of_chunks(content: bytes) -> bytes:
    """Put right the check sums of a PNG's chunks, so that what is wrong in them is reached."""
    out, place = bytearray(content[:8]), 8
    while place + 12 <= len(content):
        size = struct.unpack(">I", content[place : place + 4])[0]
        body = content[place + 4 : place + 8 + size]
        out += content[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + size
    return bytes(out)


def with_sums_of_members(content: bytes) -> bytes:
    """Put right the check sum of every header-like block of a tar file."""
    out = bytearray(content)
    for place in range(0, len(out) - 511, 512):
        if out[place + 257 : place + 262] == b"ustar":
            out[place + 148 : place + 156] = b" " * 8
            out[place + 148 : place + 156] = b"%06o\0 " % sum(out[place : place + 512])
    return bytes(out)


def check_idx(content, path):
    path.write_bytes(content)
    found = read_idx(path, (3, 4, 5))
    assert found.shape == (3, 4, 5)


def check_cifar(content, path):
    path.write_bytes(content)
    images, labels = read_cifar_batch(path, 3)
    assert images.shape == (3, 32, 32, 3)
    assert labels.max() <= 9


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
    "idx": (check_idx, bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]) + bytes(60), None),
    "cifar": (check_cifar, naive_batch(IMAGES, LABELS), None),
    "png": (check_png, png(IMAGES), None),
    "png with good sums": (check_png, png(IMAGES), with_sums_of_chunks),
    "json": (check_labels, json.dumps([1, 2, 3] * 10).encode(), None),
    "gzip": (check_gzip, gzip.compress(TAR), None),
    "tar.gz": (check_tar, gzip.compress(TAR), None),
    "tar": (check_tar, TAR, gzip.compress),
    "tar with good sums": (check_tar, TAR, lambda content: gzip.compress(with_sums_of_members(content), 1)),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
OPENED = None  # the set in which the audit hook below notes paths opened for writing, while one is there


def _audit(event, arguments):
    if OPENED is not None and event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        OPENED.add(str(arguments[0]))


sys.addaudithook(_audit)


@pytest.mark.parametrize("name", CASES)
def test_broken_input(name, tmp_path, monkeypatch):
    check, good, finish = CASES[name]
    finish = finish or (lambda content: content)
    path = tmp_path / "file"
    check(finish(good), path)
    monkeypatch.setattr(sys.modules[__name__], "OPENED", set())
    random = np.random.default_rng(sum(name.encode()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for number in range(INPUTS):
        content = finish(mutated(good, random))
        start = time.monotonic()
        try:
            check(content, path)
        except UserError as error:
            refused += 1
            assert "\n" not in str(error)
        except Exception as error:
            raise AssertionError(f"input {number}: {content[:200]!r}") from error
        assert time.monotonic() - start < 2, f"input {number}"
    assert refused > INPUTS / 20  # it was broken indeed
    assert {str(path)} >= OPENED
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * unit < 256 << 20
