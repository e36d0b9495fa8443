"""Bytes on disk: whole or not at all, the same each time, and never unpickled."""

import errno
import json
import os

import numpy as np
import pandas as pd
import pytest

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.training.tensorflow import keras
from tests.helpers.fuzz import check_broken_inputs


def failing(number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("operation", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch, operation, number):
    path = tmp_path / "result.json"
    files.write_bytes(path, b"old")
    with monkeypatch.context() as patched, pytest.raises(OSError) as raised:
        patched.setattr(files.os, operation, failing(number))
        files.write_bytes(path, b"new")
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_files_are_as_readable_as_the_user_wants(tmp_path):
    files.write_bytes(tmp_path / "new", b"")
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode


def test_bytes_of_the_right_size_come_back_and_others_are_refused_unread(tmp_path):
    files.write_bytes(tmp_path / "a", b"1234")
    assert files.read_bytes(tmp_path / "a", 4) == b"1234"
    with pytest.raises(UserError, match="a has 4 bytes instead of 5: delete it and run dvc repro"):
        files.read_bytes(tmp_path / "a", 5)
    os.truncate(tmp_path / "a", 1 << 36)
    with pytest.raises(UserError, match=f"has {1 << 36} bytes instead of 5"):
        files.read_bytes(tmp_path / "a", 5)
    for nowhere in (tmp_path, tmp_path / "b"):
        with pytest.raises(UserError, match="is missing: run dvc repro"):
            files.read_bytes(nowhere, 5)


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.zeros(0, np.uint8), np.array(5, np.int64)])
def test_arrays_come_back(tmp_path, array):
    files.write_array(tmp_path / "a.npy", array)
    back = files.read_array(tmp_path / "a.npy")
    assert back.dtype == array.dtype and back.tolist() == array.tolist()


def test_a_folder_of_arrays_comes_back_by_name(tmp_path):
    files.write_arrays(tmp_path / "set", {"a": np.arange(3), "b": np.eye(2)})
    back = files.read_arrays(tmp_path / "set")
    assert list(back) == ["a", "b"] and back["b"].tolist() == [[1, 0], [0, 1]]


def test_files_that_editors_leave_are_not_listed(tmp_path):
    for name in ("b/x.json", "a.json", ".#a.json", "b/.x.json", ".ipynb_checkpoints/a-checkpoint.json"):
        (tmp_path / ".hidden" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / ".hidden" / name).touch()
    found = files.visible(tmp_path / ".hidden", "**/*.json")
    assert [str(path.relative_to(tmp_path / ".hidden")) for path in found] == ["a.json", "b/x.json"]


def test_features_of_another_net_are_refused(tmp_path):
    net, features = tmp_path / "net.h5", tmp_path / "features"
    net.write_bytes(b"weights")
    files.write_features(features, {"a": np.arange(3)}, net)
    assert files.read_features(features, net)["a"].tolist() == [0, 1, 2]
    assert files.made_by(features) == files.digest(net)
    net.write_bytes(b"weights of another training")
    with pytest.raises(UserError, match=r"the features in .* are not by the net in .*net.h5: run dvc repro"):
        files.read_features(features, net)
    (features / "net.sha256").unlink()
    with pytest.raises(UserError, match=r"net.sha256 is missing: run dvc repro"):
        files.read_features(features, net)


def test_pickles_and_broken_arrays_are_refused(tmp_path):
    np.save(tmp_path / "pickle.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01\x00nonsense")
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "zip.npy").write_bytes(b"PK\3\4 and no archive")
    files.write_array(tmp_path / "header.npy", np.arange(3))
    whole = bytearray((tmp_path / "header.npy").read_bytes())
    whole[8] = 20  # the length of the header, which ends within a word
    (tmp_path / "header.npy").write_bytes(whole)
    for name in ("pickle", "broken", "empty", "zip", "header"):
        with pytest.raises(UserError, match=name):
            files.read_array(tmp_path / f"{name}.npy")


@pytest.mark.parametrize("read", [files.read_array, files.read_json, files.read_arrays])
def test_what_is_missing_is_named_with_what_to_do(tmp_path, read):
    with pytest.raises(UserError, match=r"nowhere.*dvc repro"):
        read(tmp_path / "nowhere")


def test_json_is_sorted_and_rounded(tmp_path):
    files.write_json(tmp_path / "m.json", {"b": np.float32(0.1), "a": {"n": np.int64(3), "list": np.array([1 / 3])}})
    text = (tmp_path / "m.json").read_text()
    assert json.loads(text) == {"a": {"list": [0.333333], "n": 3}, "b": 0.1}
    assert text.index('"a"') < text.index('"b"') and text.endswith("}\n")


def test_json_nested_too_deep_is_refused(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match=r"deep\.json is not JSON"):
        files.read_json(tmp_path / "deep.json")


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "m.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_csv_has_six_digits_and_unix_lines(tmp_path):
    files.write_csv(tmp_path / "t.csv", pd.DataFrame({"x": [1 / 3, 2.0], "name": ["a", "b"]}))
    assert (tmp_path / "t.csv").read_bytes() == b"x,name\n0.333333,a\n2,b\n"
    files.write_csv(tmp_path / "o.csv", pd.DataFrame({"x": [1 / 3, 2.0], "name": ["a", "b"]}, dtype=object))
    assert (tmp_path / "o.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


def dense(units):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, name="only")], name=f"net-{units}")
    model.set_weights([np.arange(3.0 * units).reshape(3, units), np.ones(units)])
    return model


def test_weights_come_back_with_the_same_bytes_each_time(tmp_path):
    for name in ("a", "b"):
        keras.layers.Dense(1)  # a net made in between must not change the names in the file
        files.write_weights(tmp_path / f"{name}.weights.h5", dense(2))
    assert (tmp_path / "a.weights.h5").read_bytes() == (tmp_path / "b.weights.h5").read_bytes()
    model = dense(2)
    model.set_weights([np.zeros((3, 2)), np.zeros(2)])
    files.read_weights(tmp_path / "a.weights.h5", model)
    assert model.get_weights()[0].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_a_full_disk_is_noticed_before_weights_are_written(tmp_path, monkeypatch):
    """HDF5 ends the process with a segmentation fault."""
    path, model = tmp_path / "a.weights.h5", dense(2)
    path.write_bytes(b"old")
    monkeypatch.setattr(files.os, "posix_fallocate", failing(errno.ENOSPC))
    monkeypatch.setattr(type(model), "save_weights", lambda *_, **__: pytest.fail("was called"))
    with pytest.raises(OSError) as raised:
        files.write_weights(path, model)
    assert raised.value.errno == errno.ENOSPC and raised.value.filename == str(path)
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a.weights.h5"]


def test_weights_of_another_net_or_none_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    files.write_weights(path, dense(2))
    with pytest.raises(UserError, match=r"a\.weights\.h5.*net-4"):
        files.read_weights(path, dense(4))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"a\.weights\.h5"):
        files.read_weights(path, dense(2))
    with pytest.raises(UserError, match="missing"):
        files.read_weights(tmp_path / "b.weights.h5", dense(2))


def test_damaged_weights_are_refused(tmp_path, monkeypatch):
    path, model = tmp_path / "a.weights.h5", dense(2)
    files.write_weights(path, model)

    def check(content, path):
        path.write_bytes(content)
        files.read_weights(path, model)
        assert model.count_params() == 8

    check_broken_inputs("weights", check, path.read_bytes(), path, monkeypatch, inputs=300)
