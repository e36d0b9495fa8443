import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneshot.core.errors import UserError
from oneshot.download.unpack import gunzip, tar_members
from tests.helpers.packing import tar, tar_gz
from tests.helpers.spent import MIB, Spent


def unpack(archive: bytes, wanted: dict[str, int], limit: int = MIB) -> dict[str, bytes]:
    return dict(tar_members(io.BytesIO(archive), wanted, limit))


def test_gunzip():
    assert gunzip(io.BytesIO(gzip.compress(b"abc")), 3) == b"abc"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "truncated"),
        (b"abc", "not a gzip file"),
        (gzip.compress(b"abc", mtime=0)[:-1], "truncated"),
        (gzip.compress(b"abc", mtime=0)[:12], "truncated"),
        (gzip.compress(b"abc", mtime=0)[:-8] + bytes(8), "altered"),
        (gzip.compress(b"ab", mtime=0), "holds 2 bytes instead of 3"),
        (gzip.compress(b"abcd", mtime=0), "holds more bytes instead of 3"),
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
    with pytest.raises(UserError, match="a has 4 bytes, more than the allowed 3"):
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
        with Spent(), pytest.raises(UserError, match="unpacks to more bytes than allowed"):
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
    with Spent(), pytest.raises(UserError, match="truncated"):
        gunzip(io.BytesIO(long_name), MIB)


def test_truncated_tar():
    whole = tar([("b", b"22", tarfile.REGTYPE), ("a", b"1" * 2000, tarfile.REGTYPE)])
    for cut in (100, 600, 1024 + 300, 1536 + 10):
        with pytest.raises(UserError, match=r"tar file|truncated|ends within a"):
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
