"""Dotted keys reach what is nested, and add nothing."""

import pytest

from oneshot.core.keys import changed, flat, get, put

TREE = {"a": 1, "g": {"x": [1, 2], "h": {"y": None}, "empty": {}}}


def test_each_leaf_is_found_by_its_key():
    assert dict(flat(TREE)) == {"a": 1, "g.x": [1, 2], "g.h.y": None, "g.empty": {}}
    assert all(get(TREE, key) == value for key, value in flat(TREE))
    assert get(TREE, "g.h") == {"y": None}


@pytest.mark.parametrize("key", ["b", "g.z", "g.h.y.z", "a.b", "", "g."])
def test_a_missing_key_is_neither_read_nor_added(key: str):
    with pytest.raises(KeyError):
        get(TREE, key)
    with pytest.raises(KeyError):
        changed(TREE, {key: 2})


def test_a_change_leaves_the_original_alone():
    assert changed(TREE, {"g.h.y": 3, "a": 2}) == {"a": 2, "g": {"x": [1, 2], "h": {"y": 3}, "empty": {}}}
    assert TREE["a"] == 1 and TREE["g"]["h"]["y"] is None
    tree = {"g": {"x": 1}}
    put(tree, "g.x", 2)
    assert tree == {"g": {"x": 2}}
