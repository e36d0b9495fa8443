"""Encoders that a release has published: fetched and verified; until then, a sentence that says what works."""

import hashlib
import importlib.metadata
import json
from email.message import Message
from pathlib import Path

import pytest

from oneshot.core.errors import UserError
from oneshot.encoders import catalogue
from tests.helpers.web import Web

CONTENT = b"an encoder"


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:
    """A server that has 6-class; the package knows its SHA-256, and the cache is empty."""
    record = tmp_path / "data/6-class.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"sha256": hashlib.sha256(CONTENT).hexdigest()}))
    monkeypatch.setattr(catalogue, "_FOLDERS", (record.parent,))
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "cache"))
    web = Web()
    web.pages["/v1/6-class.onnx"] = [CONTENT]
    return web


def publish(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the package's metadata have these lines."""
    metadata = Message()
    for line in addresses:
        metadata["Project-URL"] = line
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: metadata)


def test_a_published_encoder_is_fetched_once_and_found(web: Web, monkeypatch: pytest.MonkeyPatch):
    publish(monkeypatch, "Homepage, https://nowhere.invalid", f"Encoders, {web.address}/v1/")
    with pytest.raises(UserError, match="get it by `oneshot fetch 6-class`"):
        catalogue.find("6-class")
    path = catalogue.get("6-class")
    assert path.read_bytes() == CONTENT and catalogue.find("6-class") == path
    assert catalogue.get("6-class") == path and web.asked == ["/v1/6-class.onnx"]


def test_another_address_may_be_given(web: Web):
    assert catalogue.get("6-class", f"{web.address}/v1").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "sentence"),
    [(b"another", "another version of 6-class"), (404, "is not there"), ("reset", "cannot be reached")],
)
def test_what_cannot_be_used_is_a_sentence_and_not_kept(web: Web, page, sentence: str):
    web.pages["/v1/6-class.onnx"] = [page]
    with pytest.raises(UserError, match=sentence):
        catalogue.get("6-class", f"{web.address}/v1")
    with pytest.raises(UserError, match="is not here"):
        catalogue.find("6-class")


def test_a_cache_that_cannot_be_written_is_a_sentence(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"file/encoders cannot be written \(.*\): set ONESHOT_CACHE"):
        catalogue.get("6-class", f"{web.address}/v1")


@pytest.mark.parametrize(
    ("name", "address", "sentence"),
    [
        ("6-class", None, "no release has published the encoder 6-class yet"),
        ("10-class", "http://127.0.0.1", "no SHA-256 of 10-class"),
        ("6-class", "some/folder", "is no address of the web"),
        ("6-class", "https://a..b", "is no address: give"),
        ("7-class", None, "is no encoder"),
    ],
)
def test_what_is_not_published_is_a_sentence(web: Web, monkeypatch, name: str, address: str | None, sentence: str):
    publish(monkeypatch)
    with pytest.raises(UserError, match=sentence):
        catalogue.get(name, address)
    assert web.asked == []
