"""The exported nets of the small run give the features that the pipeline stored, and DVC hands them out."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from oneshot.core import files
from oneshot.datasets import cifar10, mnist
from oneshot.export.nets import NAMES
from tests.pipeline.scratch import dvc
from tools import smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "10-class"])
def test_the_onnx_file_gives_the_stored_features(smoke_run: Path, name: str):
    """Within 1e-5 of the largest: those of the ConvNet are by Winograd's convolution."""
    stored = files.read_arrays(smoke_run / f"features/{name}")
    folder, package = ("cifar10", cifar10) if name == "6-class" else ("mnist", mnist)
    images = package.read(smoke_run / f"data/raw/{folder}").images[stored["indices"][:40]]
    session = onnxruntime.InferenceSession(smoke_run / f"exports/{name}/{name}.onnx")
    (found,) = session.run(None, {"images": images.reshape(len(images), *session.get_inputs()[0].shape[1:])})
    expected = stored["embeddings"][: len(images)]
    assert np.abs(found - expected).max() <= 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("name", ["siamese-2d", "dense-all"])
def test_the_stored_maps_are_those_of_the_test_and_the_validation_images(smoke_run: Path, name: str):
    """By the exported net, cut before its embedding."""
    from oneshot.training.tensorflow import keras

    stored = files.read_arrays(smoke_run / f"features/{name}")
    net: keras.Sequential = keras.models.load_model(smoke_run / f"exports/{name}/{name}.keras", compile=False)
    cut = keras.Model(net.inputs, net.get_layer("pool2").output)
    images, splits = mnist.read(smoke_run / "data/raw/mnist"), files.read_arrays(smoke_run / "data/splits/mnist")
    groups = ("seen", "unseen") if name == "dense-all" else ("seen",)
    validation = np.concatenate([splits[f"{group}_validation"] for group in groups])
    for maps, indices in ((stored["maps"], stored["indices"]), (stored["seen_maps"], validation)):
        assert len(maps) == len(indices)
        whole = np.array(cut({"images": images.images[indices[:40], :, :, None]}))
        cells = [whole[:, y : y + 3, x : x + 3].mean((1, 2)) for y in (0, 2, 4) for x in (0, 2, 4)]
        expected = np.concatenate(cells, axis=1)
        assert np.abs(maps[:40] - expected).max() <= 1e-5 * np.abs(expected).max()
    assert len(np.unique(stored["seen_labels"])) == len(np.unique(images.labels[validation]))


def test_dvc_hands_out_the_version_that_is_tagged(branch: Path, tmp_path: Path):
    for name in ("6-class", "siamese-2d"):
        smoke.git(branch, "tag", "--annotate", "--message", "a version", f"{name}@v1.0.0")
        dvc(branch, "artifacts", "get", ".", name, "--out", str(tmp_path / name))
        for kind in ("keras", "onnx"):
            made = branch / f"exports/{name}/{name}.{kind}"
            assert (tmp_path / f"{name}/{name}.{kind}").read_bytes() == made.read_bytes()
