"""An exported net gives in its own runtime, without this code, what the layers written out here give."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oneshot.core.errors import UserError
from oneshot.encoders import write
from oneshot.encoders.weights import Net, read_net
from oneshot.evaluation.methods import DIGIT_METHODS, METHODS
from oneshot.evaluation.transforms import fit, transform_features
from tests.encoders import made_up
from tests.helpers.fuzz import check_broken_inputs

NAMES = tuple(made_up.SHAPES)
# Run in a fresh process and another folder, where the package cannot be imported.
WITH_ONNX = """
import sys, numpy, onnxruntime
for name in sys.argv[1:]:
    session = onnxruntime.InferenceSession(f"{name}.onnx")
    assert [end.name for end in session.get_inputs()] == ["images"]
    names = [end.name for end in session.get_outputs()]
    found = session.run(names, {"images": numpy.load(f"{name}.images.npy")})
    numpy.savez(f"{name}.found.npz", **dict(zip(names, found)))
"""
METHODS_OF = {"6-class": METHODS, "siamese-2d": DIGIT_METHODS}


def seen_by(net: Net) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Made-up features of 60 images of three seen classes, by layer (2, 60, d), and the labels."""
    random, maps = np.random.default_rng(2), 9 * len(net.layers[-4].bias) if net.shape[2] == 1 else 0
    sizes = {"units": net.units, "maps": maps} if maps else {"units": net.units, "linear": net.units, "pooled": 6}
    return {name: random.normal(0.3, 1, (2, 60, size)).astype(np.float32) for name, size in sizes.items()}, np.arange(
        60
    ) % 3


def encoded(name: str, net: Net) -> bytes:
    about = {"name": name, "methods": list(METHODS_OF[name]), "weights_sha256": "made by these"}
    return write.encode(net, METHODS_OF[name], *seen_by(net), about)


def reference(name: str, weights: dict, images: np.ndarray) -> dict[str, np.ndarray]:
    """The layers of images (n, side, side, channels) uint8, in doubles: (n, d) each."""
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
    linear = values.reshape(len(values), -1) @ kernel + bias
    if name == "6-class":
        return {"units": np.maximum(linear, 0), "linear": linear, "pooled": values.mean((1, 2))}
    cells = [values[:, y : y + 3, x : x + 3].mean((1, 2)) for y in (0, 2, 4) for x in (0, 2, 4)]
    return {"units": linear, "maps": np.concatenate(cells, axis=1)}


def test_onnxruntime_gives_the_vectors_of_each_method(tmp_path: Path):
    expected = {}
    for name in NAMES:
        weights = made_up.write(name, tmp_path / f"{name}.h5")
        net = read_net(name, tmp_path / f"{name}.h5")
        (tmp_path / f"{name}.onnx").write_bytes(encoded(name, net))
        images = np.random.default_rng(1).integers(256, size=(3, *net.shape), dtype=np.uint8)
        np.save(tmp_path / f"{name}.images.npy", images)
        views = [reference(name, weights, view) for view in (images, images[:, :, ::-1])]
        layers = {layer: np.stack([view[layer] for view in views]) for layer in views[0]}
        expected[name] = {method: transform_features(method, layers, *seen_by(net)) for method in METHODS_OF[name]}
    command = [sys.executable, "-c", WITH_ONNX, *NAMES]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        found = np.load(tmp_path / f"{name}.found.npz")
        assert set(found) == set(METHODS_OF[name])
        for method, vectors in expected[name].items():
            assert found[method].dtype == np.float32
            np.testing.assert_allclose(found[method], vectors, atol=2e-5, err_msg=f"{name} {method}")


def test_the_same_bytes_at_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made_up.write("siamese-2d", tmp_path / "weights.h5")
    net = read_net("siamese-2d", tmp_path / "weights.h5")
    first = encoded("siamese-2d", net)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert encoded("siamese-2d", net) == first


def test_the_constants_are_read_back(tmp_path: Path):
    weights = made_up.write("siamese-2d", tmp_path / "weights.h5")
    net = read_net("siamese-2d", tmp_path / "weights.h5")
    (tmp_path / "net.onnx").write_bytes(encoded("siamese-2d", net))
    found = write.read_constants(tmp_path / "net.onnx", "made by these")
    assert np.array_equal(found["conv2.kernel"], weights["conv2"][0].transpose(3, 2, 0, 1))
    assert np.array_equal(found["embedding.kernel"], weights["embedding"][0])
    (centre, whiten, _unit) = fit("maps_whitened", *seen_by(net))["maps"].steps_
    assert np.array_equal(found["maps_whitened.maps.centre.centre"], centre[1]["centre"])
    assert np.array_equal(found["maps_whitened.maps.whiten.matrix"], whiten[1]["matrix"])


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
            read_net(name, tmp_path / path)
    for path, sentence in (("missing.onnx", "missing.onnx is missing"), ("text", "text is no ONNX file")):
        with pytest.raises(UserError, match=sentence):
            write.read_constants(tmp_path / path, "")


def test_an_encoder_of_other_weights_is_refused(tmp_path: Path):
    made_up.write("siamese-2d", tmp_path / "weights.h5")
    (tmp_path / "net.onnx").write_bytes(encoded("siamese-2d", read_net("siamese-2d", tmp_path / "weights.h5")))
    with pytest.raises(UserError, match=r"net.onnx was made from other weights than the features beside it: run dvc"):
        write.read_constants(tmp_path / "net.onnx", "made by others")


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made_up.write("siamese-2d", tmp_path / "weights.h5")

    def check(content: bytes, path: Path) -> None:
        path.write_bytes(content)
        assert read_net("siamese-2d", path).units == 2

    good = (tmp_path / "weights.h5").read_bytes()
    check_broken_inputs("weights", check, good, tmp_path / "weights.h5", monkeypatch, inputs=300)
