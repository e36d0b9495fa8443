import gzip
import io
import json
import struct
import tarfile
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import naive_batch, png, some_images, tar, tar_gz
from PIL import Image

from oneshot.decode import cifar_batch, gunzip, json_labels, png_rows, tar_members
from oneshot.errors import UserError

MIB = 1 << 20


def unpack(archive: bytes, wanted: dict[str, int], limit: int = MIB) -> dict[str, bytes]:
    return dict(tar_members(io.BytesIO(archive), wanted, limit))


class Spent:
    """Fails unless what is inside takes under 5 seconds and under 64 MiB of Python's memory."""

    def __enter__(self):
        tracemalloc.start()
        self.start = time.monotonic()

    def __exit__(self, *_):
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert time.monotonic() - self.start < 5
        assert peak < 64 * MIB


def test_batch_against_naive_encoding():
    images, labels = some_images(5)
    assert cifar_batch(images, labels) == naive_batch(images, labels)


def test_png_rows():
    images, _ = some_images(6)
    assert np.array_equal(png_rows(png(images), 6), images)


def test_png_of_another_size_or_kind():
    images, _ = some_images(6)
    with pytest.raises(UserError, match="the PNG is 1024 x 6 RGB, not 1024 x 7 RGB"):
        png_rows(png(images), 7)
    buffer = io.BytesIO()
    Image.fromarray(images.reshape(6, 1024, 3)).convert("L").save(buffer, "PNG")
    with pytest.raises(UserError, match="1024 x 6 L, not"):
        png_rows(buffer.getvalue(), 6)


@pytest.mark.parametrize("kind", ["JPEG", "BMP", "GIF"])
def test_other_picture_formats_are_refused(kind):
    buffer = io.BytesIO()
    Image.new("RGB", (1024, 2)).save(buffer, kind)
    with pytest.raises(UserError, match="the PNG cannot be decoded"):
        png_rows(buffer.getvalue(), 2)


@pytest.mark.parametrize("cut", [0, 7, 20, 60, 1000])
def test_png_cut_off(cut):
    with pytest.raises(UserError, match="the PNG cannot be decoded"):
        png_rows(png(some_images(2)[0])[:cut], 2)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("size", [(50_000, 50_000), (1024, 2)])
def test_png_bomb(size):
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    zeros = zlib.compress(bytes(100 * MIB), 1)
    text = chunk(b"zTXt", b"a\0\0" + zeros)
    for more in [b"", text]:
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", zeros) + chunk(b"IEND", b"")
        with Spent():
            try:
                found = png_rows(bomb, 2)
            except UserError:
                continue
        assert found.shape == (2, 32, 32, 3)


def test_labels():
    found = json_labels(b"[0, 9, 5]", 3)
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 9, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"[1, 2", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[" + b"1" * 10_000 + b", 2]", "not JSON"),
        (b"{}", "not a list of 2"),
        (b"[1]", "not a list of 2"),
        (b"[1, 2, 3]", "not a list of 2"),
        (b"[1, 10]", "whole numbers in 0..9"),
        (b"[1, -1]", "whole numbers in 0..9"),
        (b"[1, 2.0]", "whole numbers in 0..9"),
        (b"[1, true]", "whole numbers in 0..9"),
        (b"[1, NaN]", "whole numbers in 0..9"),
        (b'[1, "2"]', "whole numbers in 0..9"),
        (b"[1, [2]]", "whole numbers in 0..9"),
    ],
)
def test_bad_labels(content, message):
    with pytest.raises(UserError, match=message):
        json_labels(content, 2)


def test_gunzip():
    assert gunzip(io.BytesIO(gzip.compress(b"abc")), 3) == b"abc"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut off"),
        (b"abc", "no gzip file"),
        (gzip.compress(b"abc")[:-1], "cut off"),
        (gzip.compress(b"abc")[:12], "cut off"),
        (gzip.compress(b"abc")[:-8] + bytes(8), "altered"),
        (gzip.compress(b"ab"), "holds 2 bytes instead of 3"),
        (gzip.compress(b"abcd"), "holds more bytes instead of 3"),
    ],
)
def test_bad_gzip(content, message):
    with pytest.raises(UserError, match=message):
        gunzip(io.BytesIO(content), 3)


def test_tar_yields_only_what_is_wanted():
    archive = tar_gz({"readme": b"no", "a/one": b"1" * 512, "a/two": b"", "a/three": b"333", "./a/four": b"4"})
    found = unpack(archive, {"a/one": 600, "a/two": 0, "a/four": 1, "a/five": 5})
    assert found == {"a/one": b"1" * 512, "a/two": b"", "a/four": b"4"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_wanted_name_must_be_a_regular_file(kind):
    archive = gzip.compress(tar([("a", b"", kind)]))
    with pytest.raises(UserError, match="a is not a regular file"):
        unpack(archive, {"a": 9})
    assert unpack(archive, {"b": 9}) == {}


def test_wanted_member_too_large_or_twice():
    with pytest.raises(UserError, match="a has 4 bytes, more than the 3 it may have"):
        unpack(tar_gz({"a": b"1234"}), {"a": 3})
    twice = gzip.compress(tar([("a", b"1", tarfile.REGTYPE), ("a", b"2", tarfile.REGTYPE)]))
    with pytest.raises(UserError, match="a occurs twice"):
        unpack(twice, {"a": 3})


def test_pax_and_long_names_are_passed_over():
    buffer = io.BytesIO()
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as archive:
            for name in ("x" * 300, "a"):
                member = tarfile.TarInfo(name)
                member.size = 3
                archive.addfile(member, io.BytesIO(b"abc"))
        assert unpack(buffer.getvalue(), {"a": 3}) == {"a": b"abc"}


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.GNUTYPE_SPARSE])
@pytest.mark.parametrize("claimed", [100 * MIB, 8**11 - 1])
def test_tar_bomb(kind, claimed):
    member = tarfile.TarInfo("big")
    member.type, member.size = kind, claimed
    header = member.tobuf(tarfile.USTAR_FORMAT)
    assert len(header) == 512
    bomb = gzip.compress(header + bytes(20 * MIB), 1)
    for wanted in ({"a": 9}, {"big": 9}):
        with Spent(), pytest.raises(UserError, match="unpacks to more than it may"):
            unpack(bomb, wanted, 8 * MIB)


def test_tar_of_a_million_members_or_a_negative_size_ends():
    header = tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)
    with Spent(), pytest.raises(UserError, match="unpacks to more"):
        unpack(gzip.compress(header * 40_000, 1), {"a": 9}, 16 * MIB)
    negative = bytearray(header)
    negative[124:136] = b"-0000001000\0"
    total = sum(negative[:148]) + 256 + sum(negative[156:])
    negative[148:156] = b"%06o\0 " % total
    with pytest.raises(UserError, match="not a tar file"):
        unpack(gzip.compress(bytes(negative) + bytes(1024)), {"a": 9})


def test_gzip_bombs():
    zeros = gzip.compress(bytes(100 * MIB), 1)
    with Spent(), pytest.raises(UserError, match="holds more bytes"):
        gunzip(io.BytesIO(zeros), MIB)
    with Spent(), pytest.raises(UserError, match="holds 0 bytes"):
        gunzip(io.BytesIO(gzip.compress(b"") * 500_000), MIB)
    long_name = zeros[:3] + b"\x08" + zeros[4:10] + b"n" * (16 * MIB)
    with Spent(), pytest.raises(UserError, match="cut off"):
        gunzip(io.BytesIO(long_name), MIB)


def test_truncated_tar():
    whole = tar([("b", b"22", tarfile.REGTYPE), ("a", b"1" * 2000, tarfile.REGTYPE)])
    for cut in (100, 600, 1024 + 300, 1536 + 10):
        with pytest.raises(UserError, match=r"tar file|cut off|ends within a"):
            unpack(gzip.compress(whole[:cut]), {"a": 2000})


@settings(deadline=None, max_examples=100)
@given(
    files=st.dictionaries(st.text("abc/._-", min_size=1, max_size=40), st.binary(max_size=2000), max_size=6),
    data=st.data(),
)
def test_tar_round_trip(files, data):
    files = {name: content for name, content in files.items() if not name.endswith("/")}
    files = {name.removeprefix("./"): content for name, content in files.items() if name.removeprefix("./")}
    wanted = data.draw(st.sets(st.sampled_from(sorted(files)))) if files else set()
    found = unpack(tar_gz(files), dict.fromkeys(wanted, 2000))
    assert found == {name: files[name] for name in wanted}


@settings(deadline=None, max_examples=50)
@given(count=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_package_to_batch_round_trip(count, seed):
    images, labels = some_images(count, seed)
    text = json.dumps(labels.tolist()).encode()
    assert cifar_batch(png_rows(png(images), count), json_labels(text, count)) == naive_batch(images, labels)
