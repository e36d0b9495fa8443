"""How a stage ends: one sentence for what the user can mend, a traceback for what only we can."""

import errno
import json
import os

import pytest

from oneshot import stage
from oneshot.errors import UserError


def ending(error):
    def main():
        raise error

    with pytest.raises(SystemExit) as raised:
        stage.run(main)
    return raised.value.code


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("margin is wide"), "error: margin is wide"),
        (OSError(errno.ENOSPC, "full", "models/a.h5"), "error: no space left on the disk for models/a.h5: free some"),
        (OSError(errno.EDQUOT, "full"), "error: no space left on the disk: free some"),
        (PermissionError(errno.EACCES, "denied", "metrics/a.json"), "error: no permission to use metrics/a.json"),
        (NotADirectoryError(errno.ENOTDIR, "not a directory", "metrics/a.json"), "error: cannot write metrics/a.json"),
    ],
)
def test_the_users_mistakes_end_in_a_sentence(error, sentence):
    assert ending(error).startswith(sentence)


def test_ctrl_c_says_how_to_go_on(capsys):
    assert ending(KeyboardInterrupt()) == 130
    assert "run dvc repro to go on" in capsys.readouterr().err


@pytest.mark.parametrize("error", [ValueError("ours"), OSError(errno.EIO, "broken disk")])
def test_other_errors_keep_their_traceback(error):
    def main():
        raise error

    with pytest.raises(type(error)):
        stage.run(main)


def test_a_finished_stage_notes_machine_and_minutes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["stages/train_siamese.py", "2"])
    stage.run(lambda: None)
    note = json.loads((tmp_path / "provenance/train_siamese-2.json").read_text())
    assert note["threads"] <= os.cpu_count() and note["minutes"] == 0 and note["tensorflow"]


def test_a_failed_stage_notes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ending(UserError("no"))
    assert list(tmp_path.iterdir()) == []
