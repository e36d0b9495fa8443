"""Recipes in files change parameters that exist, and nothing else."""

import pytest

from oneshot.core import params
from tools import recipes


def test_a_recipe_changes_the_leaves_that_it_names_in_a_copy():
    assert recipes.names() == ["report", "thorough"]
    tree = params.read()
    changed = recipes.change(tree, recipes.settings("thorough"))
    assert changed["convnet"]["epochs"]["ten_class"] == [[16, 2], [24, 4], [32, 2]]
    assert changed["convnet"]["epochs"] != tree["convnet"]["epochs"] == params.read()["convnet"]["epochs"]
    assert changed["siamese"] == tree["siamese"]


def test_a_misspelt_parameter_is_not_added():
    with pytest.raises(KeyError, match="wdith"):
        recipes.change({"a": {"width": 1}}, ["a.wdith=2"])
