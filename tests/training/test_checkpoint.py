"""Checkpoints: found only if everything that determines the result is the same; never half-written, never two."""

import sys

import numpy as np
import pytest

from oneshot.core import files
from oneshot.training import checkpoint
from oneshot.training.checkpoint import Checkpoint

STATE = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7, np.int64)]
HISTORY = [{"training/loss": 0.25}]


def test_what_is_saved_is_loaded(tmp_path):
    Checkpoint(tmp_path, "net", "params", STATE[0]).save(3, STATE, HISTORY)
    epoch, arrays, history = Checkpoint(tmp_path, "net", "params", STATE[0]).restore()
    assert epoch == 3 and history == HISTORY
    for ours, theirs in zip(arrays, STATE, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("determinants", [("other", STATE[0]), ("params", STATE[0] + 1), ("params",)])
def test_other_determinants_find_nothing_and_leave_one_file(tmp_path, determinants):
    Checkpoint(tmp_path, "net", "params", STATE[0]).save(3, STATE, HISTORY)
    other = Checkpoint(tmp_path, "net", *determinants)
    assert other.restore() is None
    other.save(1, STATE, HISTORY)
    assert [path.name for path in tmp_path.iterdir()] == [other.path.name]


def test_another_trainings_checkpoint_stays(tmp_path):
    first = Checkpoint(tmp_path, "10-class", "params")
    first.save(1, STATE, HISTORY)
    Checkpoint(tmp_path, "6-class", "params")
    assert first.restore() is not None


def test_other_code_finds_nothing(tmp_path, monkeypatch):
    Checkpoint(tmp_path, "net", "params").save(3, STATE, HISTORY)
    edited = tmp_path / "edited.py"
    edited.write_text("# another module")
    monkeypatch.setattr(checkpoint, "_local_sources", lambda: [edited])
    assert Checkpoint(tmp_path, "net", "params").restore() is None


def test_another_script_finds_nothing_and_python_c_has_none(tmp_path, monkeypatch):
    """Stages decide the initial seed and the dimensions of a net, which no module of the library knows."""
    script, main = tmp_path / "train.py", sys.modules["__main__"]
    script.write_text("DIMENSIONS = 2")
    monkeypatch.setattr(main, "__file__", str(script), raising=False)
    Checkpoint(tmp_path, "net", "params").save(3, STATE, HISTORY)
    assert Checkpoint(tmp_path, "net", "params").restore() is not None
    script.write_text("DIMENSIONS = 3")
    assert Checkpoint(tmp_path, "net", "params").restore() is None
    monkeypatch.delattr(main, "__file__")
    package = checkpoint.Path(checkpoint.__file__).parents[1]
    assert all(package in path.parents for path in checkpoint._local_sources())


@pytest.mark.parametrize("damage", [lambda content: content[:-20], lambda content: b"", lambda content: b"x" * 100])
def test_a_damaged_checkpoint_is_reported_and_not_used(tmp_path, capsys, damage):
    stored = Checkpoint(tmp_path, "net", "params")
    stored.save(3, STATE, HISTORY)
    stored.path.write_bytes(damage(stored.path.read_bytes()))
    assert stored.restore() is None
    assert "starting over" in capsys.readouterr().err


def test_no_flipped_bit_is_overlooked(tmp_path, capsys):
    """Every bit of a checkpoint, including those of the archive's directory, which NumPy does not check."""
    stored = Checkpoint(tmp_path, "net", "params")
    stored.save(3, STATE, HISTORY)
    content = stored.path.read_bytes()
    # In place: ext4 waits for the disk when a file that was emptied and written again is closed.
    with stored.path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(content):
            for bit in range(8):
                file.seek(place)
                file.write(bytes([byte ^ 1 << bit]))
                assert stored.restore() is None, (place, bit)
            file.seek(place)
            file.write(bytes([byte]))
    assert stored.restore() is not None
    assert capsys.readouterr().err.count("starting over") == 8 * len(content)


def test_an_interruption_while_saving_keeps_the_state_before(tmp_path, monkeypatch):
    stored = Checkpoint(tmp_path, "net", "params")
    stored.save(1, STATE, HISTORY)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(files.os, "replace", interrupt)
        stored.save(2, STATE, HISTORY)
    assert stored.restore()[0] == 1


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    stored = Checkpoint(tmp_path, "net", "params")
    (tmp_path / f".{stored.path.name}.abc123").write_bytes(b"half")
    Checkpoint(tmp_path, "net", "params")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_after_success(tmp_path):
    stored = Checkpoint(tmp_path, "net", "params")
    stored.save(1, STATE, HISTORY)
    stored.delete()
    assert list(tmp_path.iterdir()) == []
