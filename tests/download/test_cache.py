import os
import pwd
import re

import platformdirs
import pytest

from oneshot.core.errors import UserError
from oneshot.download.cache import cache_folder
from oneshot.download.fetch import fetch
from tests.helpers.download import failing, files_below, fill, params


def test_cached_files_are_verified_and_replaced(mnist, tmp_path, capsys):
    mine, cache = fill(tmp_path / "mine", mnist), tmp_path / "cache" / "mnist"
    fetch("mnist", params("folder", folder=mine))
    assert files_below(cache) == mnist
    names = list(mnist)
    (cache / names[0]).write_bytes(mnist[names[0]][::-1])
    (cache / names[1]).write_bytes(b"too short")
    (cache / names[2]).unlink()
    capsys.readouterr()
    assert fetch("mnist", params("folder", folder=mine)) == mnist
    said = capsys.readouterr().out
    assert f"the cached {names[0]} cannot be used and is fetched again: its {names[0]} is not the official one" in said
    assert f"the cached {names[1]} cannot be used and is fetched again: " in said
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


def test_cache_folder(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("ONESHOT_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "oneshot"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder, next to the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    return tmp_path / "checkout"


@pytest.mark.parametrize(("place", "cache"), [("~/c", "home/c"), ("~/my data/./c", "home/my data/c"), ("~", "home")])
def test_cache_in_the_home(mnist, tmp_path, monkeypatch, elsewhere, place, cache):
    monkeypatch.setenv("ONESHOT_CACHE", place)
    assert fetch("mnist", params("folder", folder=fill(tmp_path / "mine", mnist))) == mnist
    assert files_below(tmp_path / cache / "mnist") == mnist
    assert fetch("mnist", params("official")) == mnist  # from the cache
    assert list(elsewhere.iterdir()) == []


def test_system_place_never_makes_a_folder_named_tilde(monkeypatch, tmp_path, elsewhere):
    monkeypatch.setenv("ONESHOT_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/c")
    assert cache_folder().is_relative_to(tmp_path / "home")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: f"~/c/{name}")  # some versions give it as it is
    assert cache_folder() == tmp_path / "home" / "c" / "oneshot"


@pytest.mark.parametrize(
    "place", ["~no-such-user/c", "c", "./c", "$HOME/c", ".", "..", " ", "no\nfolder", "~\\c", "/tmp/\udcff"]
)
def test_impossible_cache_is_a_sentence(mnist, tmp_path, monkeypatch, elsewhere, place):
    monkeypatch.setenv("ONESHOT_CACHE", place)
    mine = fill(tmp_path / "mine", mnist)
    with pytest.raises(UserError, match=r"^the cache of the data cannot be in '.*': set ONESHOT_CACHE to") as failure:
        fetch("mnist", params("folder", folder=mine))
    assert repr(place) in str(failure.value)
    assert "\n" not in str(failure.value)
    str(failure.value).encode()  # it can be printed
    assert list(elsewhere.iterdir()) == []


def test_no_home_known(monkeypatch, elsewhere):
    def unknown(user):
        raise KeyError(user)

    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for given, place in {"": "the system's place for caches", "~/c": "'~/c'"}.items():
        monkeypatch.setenv("ONESHOT_CACHE", given)
        with pytest.raises(UserError, match=f"cannot be in {place}: set ONESHOT_CACHE to an absolute path"):
            cache_folder()
    monkeypatch.setenv("ONESHOT_CACHE", "")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: f"~/c/{name}")
    with pytest.raises(UserError, match="the system's place for caches"):
        cache_folder()


@pytest.mark.parametrize("place", ["/dev/null", f"/tmp/{'x' * 300}"])
def test_absolute_path_that_cannot_be_a_folder_fails_nothing(mnist, tmp_path, monkeypatch, capsys, place):
    monkeypatch.setenv("ONESHOT_CACHE", place)
    assert fetch("mnist", params("folder", folder=fill(tmp_path / "mine", mnist))) == mnist
    assert f"the cache {place}/mnist cannot be written (" in capsys.readouterr().out
