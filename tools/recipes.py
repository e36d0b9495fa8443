"""The recipes in files: settings for `dvc exp run`, as dotted parameters and their values."""

import copy
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

FOLDER = Path("recipes")


def names() -> list[str]:
    """Name the recipes in FOLDER; there are none where there is no project."""
    return sorted(path.name for path in FOLDER.glob("*") if path.is_file())


def settings(name: str) -> list[str]:
    """Read a recipe's settings, such as "convnet.recipe.batch=32"."""
    return [word for word in (FOLDER / name).read_text(encoding="utf-8").split() if word != "-S"]


def change(tree: dict, settings: Sequence[str]) -> dict:
    """Copy a tree of parameters with some leaves set; raises KeyError for others."""
    tree = copy.deepcopy(tree)
    for setting in settings:
        key, value = setting.split("=", 1)
        *groups, leaf = key.split(".")
        branch = tree
        for group in groups:
            branch = branch[group]
        branch[leaf]  # a misspelt leaf must not be added
        branch[leaf] = YAML(typ="safe", pure=True).load(value)
    return tree
