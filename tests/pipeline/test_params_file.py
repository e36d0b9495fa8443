"""params.yaml has the format of DVC's own writer, so that `dvc exp run -S` changes only the line of a leaf."""

import difflib
import json
import re
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml

from oneshot.core import params
from tests.pipeline.test_reruns import PARAMETERS
from tools import smoke

pytestmark = pytest.mark.pipeline

TEXT = (smoke.ROOT / "params.yaml").read_text()
KEY = re.compile(r"( *)(\w+):")


def value_of(tree: dict, leaf: str) -> object:
    for name in leaf.split("."):
        tree = tree[name]
    return tree


def lines_of(leaf: str) -> set[int]:
    """The lines of params.yaml that hold a leaf: its key and, for a list, the entries."""
    path, found = [], set()
    for number, line in enumerate(TEXT.splitlines()):
        if key := KEY.match(line):
            path[len(key[1]) // 2 :] = [key[2]]
        if line and not line.startswith("#") and ".".join(path) == leaf:
            found.add(number)
    return found


def comments(text: str) -> list[str]:
    return [found[0].strip() for found in re.finditer(r"(?:^|(?<=\s))#.*", text, re.MULTILINE)]


def test_lines_of_a_leaf():
    lines = TEXT.splitlines()
    (margin,) = lines_of("margin")
    assert lines[margin].startswith("margin: ")
    shots = [lines[number].split("#")[0].strip() for number in sorted(lines_of("one_shot.shots"))]
    assert shots == ["shots:", "- 1", "- 5"]
    assert len(set().union(*map(lines_of, PARAMETERS))) == sum(len(lines_of(leaf)) for leaf in PARAMETERS)


@pytest.mark.parametrize("leaf", PARAMETERS)
def test_setting_a_leaf_changes_its_own_lines_and_setting_it_back_none(tmp_path: Path, leaf: str):
    file = tmp_path / "params.yaml"
    file.write_text(TEXT)
    old, new = value_of(params.read(smoke.ROOT), leaf), PARAMETERS[leaf][0]

    apply_overrides(str(file), [f"{leaf}={json.dumps(new)}"])
    changed = file.read_text()
    assert value_of(load_yaml(str(file)), leaf) == new
    assert comments(changed) == comments(TEXT)
    blocks = difflib.SequenceMatcher(None, TEXT.splitlines(), changed.splitlines(), autojunk=False).get_opcodes()
    touched = [(start, end) for kind, start, end, *_ in blocks if kind != "equal"]
    # What is only inserted counts for the line before it.
    assert touched and {n for start, end in touched for n in range(min(start, end - 1), end)} <= lines_of(leaf)
    if not isinstance(old, list):
        assert len(changed.splitlines()) == len(TEXT.splitlines())

    apply_overrides(str(file), [f"{leaf}={json.dumps(old)}"])
    assert file.read_text() == TEXT
