"""An exported net gives in its own runtime, without this code, what the layers written out here give."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oneshot.core.errors import UserError
from oneshot.export import keras_file, nets, onnx_file
from tests.export import made_up
from tests.helpers.fuzz import check_broken_inputs

NAMES = tuple(made_up.SHAPES)
# Run in a fresh process and another folder, where the package cannot be imported.
WITH_ONNX = """
import sys, numpy, onnxruntime
for name in sys.argv[1:]:
    session = onnxruntime.InferenceSession(f"{name}.onnx")
    assert [end.name for end in (*session.get_inputs(), *session.get_outputs())] == ["images", "representation"]
    numpy.save(f"{name}.found.npy", session.run(None, {"images": numpy.load(f"{name}.images.npy")})[0])
"""
WITH_KERAS = """
import sys, keras, numpy
for name in sys.argv[1:]:
    net = keras.models.load_model(f"{name}.keras")
    numpy.save(f"{name}.found.npy", net(numpy.load(f"{name}.images.npy")))
"""


def reference(name: str, weights: dict, images: np.ndarray) -> np.ndarray:
    """The representation of images (n, side, side, channels) uint8, in doubles."""
    if name == "6-class":
        values = (images - [125.3069, 122.9501, 113.866]) / [62.9932, 62.0887, 66.7049]
        order = ["c", "c", "p", "c", "c", "c", "p"]
    else:
        values, order = images / 255, ["c", "p", "c", "p"]
    layers = iter(weights.values())
    for kind in order:
        n, side, _, channels = values.shape
        if kind == "p":
            values = values.reshape(n, side // 2, 2, side // 2, 2, channels).max((2, 4))
            continue
        kernel, bias = next(layers)
        size = len(kernel)
        padded = np.pad(values, [(0, 0), *[((size - 1) // 2, size // 2)] * 2, (0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2))
        values = np.maximum(np.einsum("nyxcij,ijco->nyxo", windows, kernel) + bias, 0)
    kernel, bias = next(layers)
    values = values.reshape(len(values), -1) @ kernel + bias
    return np.maximum(values, 0) if name == "6-class" else values


@pytest.mark.parametrize("code", [WITH_ONNX, WITH_KERAS], ids=["onnxruntime", "keras"])
def test_its_own_runtime_gives_the_representation(tmp_path: Path, code: str):
    expected = {}
    for name in NAMES:
        weights = made_up.write(name, tmp_path / f"{name}.h5")
        net = nets.load(name, tmp_path / f"{name}.h5")
        (tmp_path / f"{name}.keras").write_bytes(keras_file.encode(net))
        (tmp_path / f"{name}.onnx").write_bytes(onnx_file.encode(net))
        images = np.random.default_rng(1).integers(256, size=(3, *net.shape), dtype=np.uint8)
        np.save(tmp_path / f"{name}.images.npy", images)
        expected[name] = reference(name, weights, images)
    done = subprocess.run([sys.executable, "-c", code, *NAMES], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        found = np.load(tmp_path / f"{name}.found.npy")
        assert found.dtype == np.float32 and found.shape == expected[name].shape
        assert np.abs(found - expected[name]).max() <= 1e-5


def test_the_same_bytes_at_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made_up.write("siamese-2d", tmp_path / "weights.h5")
    net = nets.load("siamese-2d", tmp_path / "weights.h5")
    first = keras_file.encode(net), onnx_file.encode(net)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert (keras_file.encode(net), onnx_file.encode(net)) == first


def test_the_constants_are_read_back(tmp_path: Path):
    weights = made_up.write("siamese-2d", tmp_path / "weights.h5")
    (tmp_path / "net.onnx").write_bytes(onnx_file.encode(nets.load("siamese-2d", tmp_path / "weights.h5")))
    found = onnx_file.read_constants(tmp_path / "net.onnx")
    assert np.array_equal(found["conv2.kernel"], weights["conv2"][0].transpose(3, 2, 0, 1))
    assert np.array_equal(found["embedding.kernel"], weights["embedding"][0])


def test_a_file_that_is_missing_or_another_is_named(tmp_path: Path):
    made_up.write("siamese-2d", tmp_path / "weights.h5")
    (tmp_path / "text").write_text("no net")
    for name, path, sentence in (
        ("6-class", "missing.h5", "missing.h5 is missing: run dvc repro"),
        ("6-class", "text", "text does not hold weights that Keras wrote"),
        ("6-class", "weights.h5", r"does not hold the weights of 6-class \(it has no layer conv3\)"),
        ("siamese-3d", "weights.h5", r"siamese-3d \(.*have side 4 and its embedding 2 units, not 4 and 3\)"),
        ("dense-all", "weights.h5", r"dense-all \(.*have side 4 and its embedding 2 units, not 3 and 2\)"),
    ):
        with pytest.raises(UserError, match=sentence):
            nets.load(name, tmp_path / path)
    for path, sentence in (("missing.onnx", "missing.onnx is missing"), ("text", "text is no ONNX file")):
        with pytest.raises(UserError, match=sentence):
            onnx_file.read_constants(tmp_path / path)


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made_up.write("siamese-2d", tmp_path / "weights.h5")

    def check(content: bytes, path: Path) -> None:
        path.write_bytes(content)
        assert nets.load("siamese-2d", path).units == 2

    good = (tmp_path / "weights.h5").read_bytes()
    check_broken_inputs("weights", check, good, tmp_path / "weights.h5", monkeypatch, inputs=300)
