"""How a stage starts and ends: its argument and parameters are checked first; mistakes end it with one sentence."""

import errno
import json
import os
import runpy
import sys
from pathlib import Path

import pytest

from oneshot.core import stage
from oneshot.core.errors import UserError
from oneshot.core.params import Schema

ROOT = Path(__file__).parents[2]
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py"))


class Params(Schema):
    margin: float


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A project of one parameter and no stage but the one under test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stages/train_siamese.py"])
    # A stage replaces its process, which must not happen to the process of these tests.
    monkeypatch.setattr(stage.environment, "enter", lambda compute: None)
    monkeypatch.setattr(stage.params, "stage_schemas", lambda root: {"train_siamese": Params})
    Path("params.yaml").write_text("margin: 2\n")


def written():
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


def ending(error):
    def main(params):
        raise error

    with pytest.raises(SystemExit) as raised:
        stage.run(main, Params)
    return raised.value.code


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("margin is wide"), "error: margin is wide"),
        (OSError(errno.ENOSPC, "full", "models/a.h5"), "error: no space left on the disk for models/a.h5: free some"),
        (OSError(errno.EDQUOT, "full"), "error: no space left on the disk: free some"),
        (OSError(errno.EFBIG, "too large"), "error: no space left on the disk: free some"),
        (MemoryError(), "error: not enough memory: "),
        (PermissionError(errno.EACCES, "denied", "metrics/a.json"), "error: no permission to use metrics/a.json"),
        (NotADirectoryError(errno.ENOTDIR, "not a directory", "metrics/a.json"), "error: cannot write metrics/a.json"),
    ],
)
def test_the_users_mistakes_end_in_a_sentence(error, sentence):
    assert ending(error).startswith(sentence)


def test_ctrl_c_says_how_to_resume(capsys):
    assert ending(KeyboardInterrupt()) == 130
    assert "run dvc repro to resume" in capsys.readouterr().err


@pytest.mark.parametrize("error", [ValueError("ours"), OSError(errno.EIO, "broken disk")])
def test_other_errors_keep_their_traceback(error):
    def main(params):
        raise error

    with pytest.raises(type(error)):
        stage.run(main, Params)


def test_a_stage_gets_its_parameters_and_its_choice(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["stages/train_siamese.py", "siamese-2d"])
    given = []
    stage.run(lambda params, net: given.append((params, net)), Params, net=("siamese-2d", "siamese-3d"))
    assert given == [(Params(margin=2.0), "siamese-2d")]


def test_a_finished_stage_records_machine_and_minutes(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["stages/train_siamese.py", "siamese-2d"])
    stage.run(lambda params, net: None, Params, net=("siamese-2d", "siamese-3d"))
    note = json.loads(Path("provenance/train_siamese-siamese-2d.json").read_text())
    assert (
        note["processors"] <= os.cpu_count()
        and note["minutes"] == 0
        and note["peak_gib"] > 0
        and note["packages"]["tensorflow"]
    )


def test_a_finished_stage_prints_its_result_last(capsys):
    stage.run(lambda params: "unseen digits, accuracy 0.647", Params)
    stage.run(lambda params: None, Params)
    assert capsys.readouterr().out == "unseen digits, accuracy 0.647\n"


def test_the_record_of_a_stage_without_an_argument_has_its_name():
    stage.run(lambda params: None, Params)
    assert written() == ["params.yaml", "provenance/train_siamese.json"]


def test_a_failed_stage_records_nothing():
    ending(UserError("no"))
    assert written() == ["params.yaml"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("margin: wide\n", r"^error: params\.yaml: margin: should be a valid number"),
        ("margin: 2\nmargn: 3\n", r"^error: params\.yaml: no stage reads the parameter margn; did you mean margin\?"),
    ],
)
def test_wrong_parameters_end_in_a_sentence_before_any_work(text, sentence):
    Path("params.yaml").write_text(text)
    started = []
    with pytest.raises(SystemExit, match=sentence):
        stage.run(lambda params: started.append(params), Params)
    assert not started and written() == ["params.yaml"]


@pytest.mark.parametrize("given", [["4-class"], [], ["10-class", "6-class"], ["--net", "10-class"]])
def test_a_wrong_choice_runs_nothing_and_names_the_right_ones(given, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["stages/train_convnet.py", *given])
    started = []
    with pytest.raises(SystemExit) as raised:
        stage.run(lambda *arguments: started.append(arguments), Params, net=("10-class", "6-class"))
    assert raised.value.code == 2
    assert "10-class" in capsys.readouterr().err
    assert not started and written() == ["params.yaml"]


def test_a_stage_without_a_choice_takes_no_argument(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["stages/split.py", "now"])
    started = []
    with pytest.raises(SystemExit) as raised:
        stage.run(lambda params: started.append(params), Params)
    assert raised.value.code == 2
    assert not started and written() == ["params.yaml"]


@pytest.mark.parametrize("name", STAGES)
def test_help_of_every_stage_says_what_it_does_and_writes_nothing(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"stages/{name}.py", "--help"])
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(ROOT / "stages" / f"{name}.py"), run_name="__main__")
    assert raised.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    purpose = (ROOT / "stages" / f"{name}.py").read_text().split('"""')[1]
    assert " ".join(purpose.split()) in said
    assert written() == ["params.yaml"]
