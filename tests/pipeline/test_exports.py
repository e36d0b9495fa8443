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


def test_dvc_hands_out_the_version_that_is_tagged(branch: Path, tmp_path: Path):
    for name in ("6-class", "siamese-2d"):
        smoke.git(branch, "tag", "--annotate", "--message", "a version", f"{name}@v1.0.0")
        dvc(branch, "artifacts", "get", ".", name, "--out", str(tmp_path / name))
        for kind in ("keras", "onnx"):
            made = branch / f"exports/{name}/{name}.{kind}"
            assert (tmp_path / f"{name}/{name}.{kind}").read_bytes() == made.read_bytes()
