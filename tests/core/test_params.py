"""Parameters: read as DVC reads them, strict in type, each mistake one sentence that names key and rule."""

import time
from pathlib import Path
from typing import Literal

import pytest
from dvc.utils.serialize import load_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, model_validator

from oneshot.core import params
from oneshot.core.errors import UserError


class Group(params.Schema):
    rate: float = Field(gt=0)
    kind: Literal["a", "b"]


class First(params.Schema):
    seed: int = Field(ge=0)
    group: Group


class Second(params.Schema):
    margin: float


SCHEMAS = {"first": First, "second": Second}
TREE = {"seed": 1, "margin": 2, "group": {"rate": 0.5, "kind": "a"}}


def test_leaves_are_dotted_names_in_order():
    assert list(params.leaves(First)) == ["seed", "group.rate", "group.kind"]


def test_a_stage_sees_its_own_leaves_only():
    assert params.validate(TREE, First).model_dump() == {"seed": 1, "group": {"rate": 0.5, "kind": "a"}}


def test_2_and_2_0_are_the_same_run():
    text = params.validate(TREE, Second).model_dump_json()
    assert text == params.validate(TREE | {"margin": 2.0}, Second).model_dump_json() == '{"margin":2.0}'


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": -1}, r"params\.yaml: seed: should be greater than or equal to 0, but is -1"),
        ({"seed": "1"}, r"params\.yaml: seed: should be a valid integer, but is '1'"),
        ({"seed": True}, r"params\.yaml: seed: .*integer"),
        ({"seed": 1.5}, r"params\.yaml: seed: .*integer"),
        ({"margin": "wide"}, r"params\.yaml: margin: should be a valid number, but is 'wide'"),
        ({"margin": float("inf")}, r"params\.yaml: margin: should be a finite number"),
        ({"group": {"rate": 0.5, "kind": "c"}}, r"params\.yaml: group\.kind: should be 'a' or 'b', but is 'c'"),
        ({"group": {"rate": 0.5}}, r"params\.yaml: group\.kind: is missing"),
        ({"group": 3}, r"params\.yaml: (no stage reads the parameter group|group)"),
        (
            {"group": {**TREE["group"], "rat": 1}},
            r"no stage reads the parameter group\.rat; did you mean group\.rate\?",
        ),
        ({"margn": 1}, r"no stage reads the parameter margn; did you mean margin\?"),
        ({"zzz": 1}, r"no stage reads the parameter zzz; the known ones are "),
        (
            {"convnet": {"epochs": {"six_class": [[32, 1]]}}},
            r"no stage reads the parameter convnet\.epochs\.six_class; its name is now convnet\.resolution_schedule",
        ),
        ({"group.rate": 0.1}, r"params\.yaml: the key group\.rate has a dot: write rate indented below group:"),
        ({"margin": {}}, r"params\.yaml: margin: should be a valid number"),
    ],
)
def test_mistakes(change, sentence):
    with pytest.raises(UserError, match=sentence) as raised:
        params.check(TREE | change, SCHEMAS)
    assert "\n" not in str(raised.value)


def test_a_rule_about_several_keys_does_not_repeat_them_all():
    class Range(params.Schema):
        low: int
        high: int

        @model_validator(mode="after")
        def _ordered(self):
            if self.low > self.high:
                raise ValueError("low must not exceed high")
            return self

    class Both(params.Schema):
        range: Range

    with pytest.raises(UserError, match=r"^params\.yaml: range: low must not exceed high$"):
        params.validate({"range": {"low": 2, "high": 1}}, Both)


def test_all_is_well():
    params.check(TREE, SCHEMAS)


@pytest.mark.parametrize("text", ["1e-4", "1.0e-4", "-2E+3", ".5e1", "yes", "off", "010", "0o10", "0x1f", "1_000", "~"])
def test_values_are_those_that_dvc_reads(tmp_path, text):
    (tmp_path / "params.yaml").write_text(f"rate: {text}\n")
    assert params.read(tmp_path) == load_yaml(str(tmp_path / "params.yaml"))


def test_an_exponent_is_a_number(tmp_path):
    (tmp_path / "params.yaml").write_text("rate: 1e-4\n")
    assert params.read(tmp_path) == {"rate": 1e-4}


@pytest.mark.parametrize("text", ["seed: &all\n  a: *all\n", "a: &a [*a]\n", "a: &a 1\nb: *a\n"])
def test_aliases_are_refused(tmp_path, text):
    """They can name a mapping inside itself, or more values than memory holds."""
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match="alias"):
        params.read(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "- 1\n", "a: [", "\x00", "!!python/object/apply:os.system [ls]", "a: *b", "[" * 1000],
    ids=["empty", "list", "unfinished", "zero", "object", "alias", "nested"],
)
def test_no_mapping_is_refused(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=r"params\.yaml"):
        params.read(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="missing"):
        params.read(tmp_path)


def test_the_projects_own_parameters_are_valid_for_every_stage():
    params.check(params.read(), params.stage_schemas())


LINES = ["seed: 1  # the one seed", "margin: 2.5", "group:", "  rate: 1e-4", "  kind: a"]
SCRAPS = st.text("aeE019.+-_:,[]{}&*!|>?%@#'\"\\ \n\t\x00\u00e9\u2028", max_size=6) | st.sampled_from(
    [
        "<<: ",
        "!!set {a}",
        "!!python/name:os.system ",
        "&a ",
        "*a",
        "1e999",
        ".nan",
        "2001-01-01",
        "\n---\n",
        "? ",
        "{" * 400,
    ]
)


@pytest.mark.parametrize("count", [400, pytest.param(2000, marks=pytest.mark.long)])
def test_broken_files_end_in_one_sentence(tmp_path, count: int):
    """Parameter files with parts removed and scraps added: each is valid, or refused with one short sentence."""

    @settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 12), st.integers(0, 8), SCRAPS),
            min_size=1,
            max_size=3,
        )
    )
    def check(edits):
        lines = list(LINES)
        for number, place, cut, scrap in edits:
            line = lines[number]
            lines[number] = line[:place] + scrap + line[place + cut :]
        (tmp_path / "params.yaml").unlink(missing_ok=True)  # to write it again in place takes longer
        (tmp_path / "params.yaml").write_text("\n".join(lines), encoding="utf-8")
        start = time.process_time()
        try:
            params.check(params.read(tmp_path), SCHEMAS)
        except UserError as error:
            assert "params.yaml" in str(error) and len(str(error).splitlines()) == 1
        assert time.process_time() - start < 5

    check()


def test_an_editors_lock_file_is_no_stage_and_a_script_without_parameters_is_named(tmp_path: Path):
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/.#split.py").symlink_to("user@host.1234")
    (tmp_path / "stages/.hidden.py").write_text("raise SystemExit")
    assert params.stage_schemas(tmp_path) == {}
    for text in ("x = 1\n", "Params = 3\n"):
        (tmp_path / "stages/other.py").write_text(text)
        with pytest.raises(UserError, match=r"other\.py is no stage: it has no class Params"):
            params.stage_schemas(tmp_path)
