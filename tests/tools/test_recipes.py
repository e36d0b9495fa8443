"""Recipes in files change parameters that exist, and nothing else, as `dvc exp run -S` does."""

import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml

from oneshot.core import params
from tools import recipes

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["report", "thorough"])
def test_a_recipe_changes_a_copy_as_dvc_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(ROOT)
    tree, settings = params.read(), recipes.settings(name)
    shutil.copy("params.yaml", tmp_path)
    apply_overrides(tmp_path / "params.yaml", settings)
    changed = recipes.change(tree, settings)
    assert changed == load_yaml(str(tmp_path / "params.yaml")) != tree
    assert tree == params.read()


def test_files_are_recipes_and_folders_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert recipes.names() == []
    (tmp_path / "recipes/own").mkdir(parents=True)
    (tmp_path / "recipes/quick").write_text("-S a.b=1")
    assert recipes.names() == ["quick"] and recipes.settings("quick") == ["a.b=1"]


def test_a_misspelt_parameter_is_not_added():
    with pytest.raises(KeyError, match="wdith"):
        recipes.change({"a": {"width": 1}}, ["a.wdith=2"])
