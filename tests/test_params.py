"""Parameters: read as DVC reads them, strict in type, each mistake one sentence that names key and rule."""

from typing import Literal

import pytest
from pydantic import Field

from oneshot import params
from oneshot.errors import UserError


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


def test_two_and_two_point_nought_are_the_same_run():
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
        ({"margin": {}}, r"params\.yaml: margin: should be a valid number"),
    ],
)
def test_mistakes(change, sentence):
    with pytest.raises(UserError, match=sentence) as raised:
        params.check(TREE | change, SCHEMAS)
    assert "\n" not in str(raised.value)


def test_all_is_well():
    params.check(TREE, SCHEMAS)


@pytest.mark.parametrize(("text", "value"), [("1e-4", 1e-4), ("1.0e-4", 1e-4), ("-2E+3", -2000.0), (".5e1", 5.0)])
def test_exponents_are_numbers_as_dvc_reads_them(tmp_path, text, value):
    (tmp_path / "params.yaml").write_text(f"rate: {text}\n")
    assert params.read(tmp_path) == {"rate": value}


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "a: [", "\x00", "!!python/object/apply:os.system [ls]", "a: *b", "[" * 3000]
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
