import os
import re
import socket
import time

import pytest

from oneshot.core.errors import UserError
from oneshot.download import catalogue
from oneshot.download.catalogue import HOSTS
from oneshot.download.fetch import fetch
from oneshot.download.http import Bounded
from tests.helpers.download import failing, files_below, official, packed, params
from tests.helpers.web import refusing_host


@pytest.mark.parametrize("fault", [500, 502, 503, 429, "reset", "silent", "cut"])
def test_passing_fault_is_tried_again(cifar10, web, monkeypatch, capsys, fault):
    archive = official(cifar10[0])
    monkeypatch.setitem(HOSTS, "cifar10", [web.address])
    fault = (archive, len(archive) // 2) if fault == "cut" else fault
    web.pages["/cifar-10-binary.tar.gz"] = [fault, fault, archive]
    assert fetch("cifar10", params("official")) == cifar10[0]
    assert len(web.asked) == 3
    assert len(re.findall("trying again in", capsys.readouterr().out)) == 2


@pytest.mark.parametrize("fault", [503, "reset", "silent"])
def test_fault_that_does_not_pass(cifar10, web, monkeypatch, fault):
    monkeypatch.setitem(HOSTS, "cifar10", [web.address])
    web.pages["/cifar-10-binary.tar.gz"] = [fault]
    with pytest.raises(
        UserError, match=r"official: 127\.0\.0\.1: (the transfer was interrupted|answered with HTTP status 503)\)"
    ):
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
        ("http://[::1", "sent a malformed answer"),
        (f"http://{'a' * 300}/", "sent a malformed answer"),
        (b"<html>sign in</html>", "cifar-10-binary.tar.gz: the file is not a gzip file"),
        (b"", "cifar-10-binary.tar.gz: the gzip file is truncated"),
    ],
)
def test_refusal_is_not_tried_again(cifar10, web, monkeypatch, tmp_path, answer, message):
    monkeypatch.setitem(HOSTS, "cifar10", [web.address])
    monkeypatch.setattr(catalogue, "SLACK", 1 << 20)
    web.pages["/cifar-10-binary.tar.gz"] = [answer]
    with pytest.raises(UserError, match=message):
        fetch("cifar10", params("official"))
    assert len(web.asked) == (31 if "302" in message else 1)
    assert files_below(tmp_path) == {}


def unknown(resolve):
    """As `resolve`, but nowhere.invalid is unknown at once, whatever the name server says and when."""

    def resolved(host, *rest, **options):
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **options)

    return resolved


def test_refused_name_unknown_and_unanswered_are_quick(mnist, monkeypatch):
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    for _ in range(3):  # with its queue full, the server no longer answers
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(full.getsockname())
    hosts = [refusing_host(), "http://nowhere.invalid", f"http://127.0.0.1:{full.getsockname()[1]}"]
    monkeypatch.setitem(HOSTS, "mnist", hosts)
    monkeypatch.setattr(socket, "getaddrinfo", unknown(socket.getaddrinfo))
    start = time.monotonic()
    with pytest.raises(UserError) as failure:
        fetch("mnist", params("official"))
    assert time.monotonic() - start < 3
    reasons = "refused the connection", "its name cannot be resolved", "did not answer within 0.3 s"
    assert all(reason in str(failure.value) for reason in reasons)
    for connection in [full, *waiting]:
        connection.close()


def test_redirect_is_followed(mnist, web, monkeypatch):
    monkeypatch.setitem(HOSTS, "mnist", [web.address])
    for name, content in packed(mnist).items():
        web.pages |= {f"/{name}": [f"/there/{name}"], f"/there/{name}": [content]}
    assert fetch("mnist", params("official")) == mnist


def test_no_space_for_the_download_is_said(mnist, web, monkeypatch, tmp_path):
    monkeypatch.setitem(HOSTS, "mnist", [web.address])
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()}
    full = OSError(28, os.strerror(28))
    monkeypatch.setattr(Bounded, "write", failing(Bounded.write, full, after=0))
    with pytest.raises(UserError, match=r"official: No space left on device \("):
        fetch("mnist", params("official"))


def test_certificates_in_a_place_that_is_not_there_are_said(mnist, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "~/none.pem")
    monkeypatch.setitem(HOSTS, "mnist", ["https://127.0.0.1:9"])
    with pytest.raises(UserError, match=r"\(official: .* invalid path: ~/none\.pem\): connect"):
        fetch("mnist", params("official"))
