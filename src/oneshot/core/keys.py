"""Nested parameters and metrics by dotted keys, such as convnet.recipe.batch."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any


def flat(tree: Mapping, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of each leaf; an empty mapping is a leaf."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def get(tree: Mapping, key: str) -> Any:
    """Return what a tree has by a dotted key; raises KeyError."""
    value: Any = tree
    for part in key.split("."):
        if not isinstance(value, Mapping):
            raise KeyError(key)
        value = value[part]
    return value


def put(tree: dict, key: str, value: object) -> None:
    """Set what a tree has by a dotted key; raises KeyError if it has nothing there: a misspelt key is not added."""
    group, _, leaf = key.rpartition(".")
    branch = get(tree, group) if group else tree
    if not isinstance(branch, dict) or leaf not in branch:
        raise KeyError(key)
    branch[leaf] = value


def changed(tree: dict, values: Mapping[str, object]) -> dict:
    """Copy a tree with other values by dotted key; raises KeyError as `put`."""
    tree = copy.deepcopy(tree)
    for key, value in values.items():
        put(tree, key, value)
    return tree
