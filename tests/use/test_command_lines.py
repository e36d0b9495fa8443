"""Whatever words and files the command gets: a status, one sentence per mistake, no traceback, nothing half-written."""

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from oneshot.__main__ import main

FOLDERS = ("examples", "examples/red", "new", "new/some red é.png", "encoders/6-class.onnx", "text.yaml", "missing")
ODD = (
    "",
    " ",
    ".",
    "..",
    "/",
    "-",
    "--",
    "*",
    "~",
    "a\nb",
    "\udcff",
    "x" * 300,
    "x" * 300 + "/a.csv",
    "/dev/null",
    "/dev/full",
    "ü/ü.csv",
)
OPTIONS = {
    "--encoder": (*FOLDERS, "6-class", "siamese-3d", *ODD),
    "--method": ("raw", "root", "unit", *ODD),
    "--background": (*FOLDERS, *ODD),
    "--csv": ("a.csv", "new", "text.yaml/a.csv", "sub/a.csv", *ODD),
    "--json": ("a.json", "a.csv", *ODD),
    "--confusion": ("b.csv", *ODD),
    "--picture": ("b.png", "b.PNG", "b.jpg", "-"),
    "--episodes": ("1", "3", "0", "-1", "1e3", "99999999999999999999", "ü"),
    "--seed": ("0", "-1", str(2**63), str(2**64), "1.5"),
    "--size": ("0", "-3", "32", "100000000"),
    "--output": ("raw", "root", *ODD),
    "--preprocess": ("none", "clip", "no"),
    "--mean": ("0", "0.5 0.5 0.5", "nan", "1 2", "inf"),
    "--std": ("1", "0", "-1", "nan", "0.2 0.2 0.2"),
    "--unknown": ("",),
}
ONLY = {
    "classify": ("--encoder", "--method", "--background", "--csv", "--json", "--size", "--output", "--mean", "--std"),
    "inspect": ("--unknown",),
}
PLACES = st.sampled_from((*FOLDERS, *ODD))
# Half of them would work, if their options did.
STARTS = st.one_of(
    st.sampled_from((["classify", "examples", "new"], ["evaluate", "examples"], ["inspect", "encoders/6-class.onnx"])),
    st.builds(
        lambda command, places: [command, *places],
        st.sampled_from(("classify", "evaluate", "inspect", "", "other")),
        st.lists(PLACES, max_size=3),
    ),
)


@st.composite
def command_lines(draw) -> list[str]:
    words = draw(STARTS)
    if words[0] in ("classify", "evaluate") and draw(st.integers(0, 3)):
        words = [*words, "--encoder", "encoders/6-class.onnx"]
    if words[0] == "evaluate":
        words = [*words, "--episodes", "3"]
    for name in draw(st.lists(st.sampled_from(ONLY.get(words[0], tuple(OPTIONS))), max_size=3)):
        value = draw(st.sampled_from(OPTIONS[name]))
        words = [*words, name, *(value.split() if name in ("--mean", "--std") else [value])]
    return words


def outcome(words: list[str]) -> tuple[object, str, str]:
    """Run the command here: its status or sentence, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", ["oneshot", *words])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as raised:
            main()
    return raised.value.code, out.getvalue(), err.getvalue()


def is_whole(path: Path) -> bool:
    """Whether a file holds a complete table or picture, whatever it is called."""
    if path.read_bytes().startswith(b"\x89PNG"):
        Image.open(path).verify()
        return True
    text = path.read_text()
    return isinstance(json.loads(text), dict) if text.startswith("{") else len(pd.read_csv(io.StringIO(text))) > 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=command_lines())
def test_any_words_end_in_a_status_a_sentence_and_whole_files(words: list[str], project: Path):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    code, _, err = outcome(words)
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    made = after.keys() - before.keys()
    try:
        assert code in (0, 1, 2) or (isinstance(code, str) and len(code.strip().splitlines()) == 1), code
        assert "Traceback" not in err
        assert after.items() >= before.items()
        assert not made or (code in (0, 1) and all(map(is_whole, made)))
    finally:
        for path in made:
            path.unlink()
            with contextlib.suppress(OSError):
                path.parent.rmdir()
