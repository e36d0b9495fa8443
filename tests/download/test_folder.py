from pathlib import Path

import pytest

from oneshot.core.errors import UserError
from oneshot.download import catalogue
from oneshot.download.fetch import fetch
from tests.helpers.download import files_below, fill, official, packed, params
from tests.helpers.packing import tar_gz


@pytest.mark.parametrize("place", ["", "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin"])
def test_folder_unpacked(cifar10, tmp_path, place):
    fill(tmp_path / "mine" / place, cifar10[0])
    assert fetch("cifar10", params("folder", folder=tmp_path / "mine")) == cifar10[0]


@pytest.mark.parametrize("place", ["", "cifar10"])
def test_folder_packed(cifar10, tmp_path, place):
    fill(tmp_path / "mine" / place, {"cifar-10-binary.tar.gz": official(cifar10[0])})
    assert fetch("cifar10", params("folder", folder=tmp_path / "mine")) == cifar10[0]


def test_folder_of_mnist_part_packed(mnist, tmp_path):
    name = "t10k-labels-idx1-ubyte"
    fill(tmp_path / "mine", packed(mnist) | {name: mnist[name]})
    (tmp_path / "mine" / f"{name}.gz").unlink()
    assert fetch("mnist", params("folder", folder=tmp_path / "mine")) == mnist


def test_folder_by_a_path_from_home(mnist, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "mine", mnist)
    assert fetch("mnist", params("folder", folder="~/mine")) == mnist


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda good: {}, "has neither data_batch_1.bin nor cifar-10-binary.tar.gz"),
        (
            lambda good: good | {"test_batch.bin": good["data_batch_1.bin"]},
            "its test_batch.bin is not the official one",
        ),
        (lambda good: good | {"test_batch.bin": b"abc"}, r"test_batch.bin has 3 bytes instead of 12292"),
        (lambda good: {"cifar-10-binary.tar.gz": official(good)[:9000]}, "cifar-10-binary.tar.gz: .*truncated"),
        (lambda good: {"cifar-10-binary.tar.gz": b"<html>"}, "cifar-10-binary.tar.gz: the file is not a gzip file"),
        (lambda good: {"cifar-10-binary.tar.gz": official({})}, "cifar-10-binary.tar.gz lacks .*/data_batch_1.bin, "),
        (
            lambda good: {
                "cifar-10-binary.tar.gz": tar_gz({f"../cifar-10-batches-bin/{n}": c for n, c in good.items()})
            },
            "cifar-10-binary.tar.gz lacks .*/data_batch_1.bin, ",
        ),
    ],
)
def test_bad_folder(cifar10, tmp_path, change, message):
    mine = fill(tmp_path / "mine", change(cifar10[0]))
    mine.mkdir(exist_ok=True)
    before = files_below(tmp_path)
    with pytest.raises(UserError, match=rf"^no source gave cifar10 \(folder: .*{message}.*\): connect to the internet"):
        fetch("cifar10", params("folder", folder=mine))
    assert files_below(tmp_path) == before  # neither cached nor written elsewhere


def test_no_folder(mnist, tmp_path):
    for folder, reason in [("", "download.folder is empty"), (tmp_path / "none", r"\S+/none is not a folder")]:
        with pytest.raises(UserError, match=rf"\(folder: {reason}; official: 127.0.0.1: refused the connection\)"):
            fetch("mnist", params("folder", "official", folder=folder))


def test_archive_members_leave_their_folder_nowhere(cifar10, tmp_path):
    hostile = {"../../escaped": b"1", "/tmp/oneshot-escaped": b"2", "cifar-10-batches-bin/../escaped": b"3"}
    archive = tar_gz(hostile | {f"cifar-10-batches-bin/{name}": content for name, content in cifar10[0].items()})
    mine = fill(tmp_path / "deep" / "mine", {"cifar-10-binary.tar.gz": archive})
    assert fetch("cifar10", params("folder", folder=mine)) == cifar10[0]
    assert not Path("/tmp/oneshot-escaped").exists()
    assert not [name for name in files_below(tmp_path) if "escaped" in name]


def test_folder_in_a_home_that_is_not_known(mnist, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "~no-such-user", mnist)  # where such a path must not lead
    with pytest.raises(UserError, match=r"\(folder: ~no-such-user starts with an unknown home folder\)"):
        fetch("mnist", params("folder", folder="~no-such-user"))
    assert fetch("mnist", params("folder", folder="./~no-such-user")) == mnist


def test_folder_with_a_part_of_the_files_in_the_cache(cifar10, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "SLACK", 1 << 14)
    fill(tmp_path / "cache" / "cifar10", dict(list(cifar10[0].items())[2:]))
    mine = fill(tmp_path / "mine", {"cifar-10-binary.tar.gz": official(cifar10[0])})
    assert fetch("cifar10", params("folder", folder=mine)) == cifar10[0]
