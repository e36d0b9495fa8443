"""The encoders of the small run give the features that the pipeline stored, and DVC hands them out."""

from pathlib import Path

import numpy as np
import pytest

from oneshot.core import files
from oneshot.datasets import cifar10, mnist
from oneshot.encoders.encoder import Encoder
from oneshot.evaluation import transforms
from oneshot.evaluation.methods import DIGIT_METHODS, METHODS
from oneshot.nets.table import DRAWINGS, NETS
from tests.pipeline.scratch import dvc
from tools import smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]


@pytest.mark.parametrize("name", [name for name in NETS if name != "10-class"])
def test_the_encoder_gives_the_vectors_of_the_pipeline(smoke_run: Path, name: str):
    """Within 1e-5 of the largest; but square roots of units near zero make more of Winograd's rounding: 1e-4."""
    stored = files.read_arrays(smoke_run / f"features/{name}")
    drawing = name in DRAWINGS
    folder, package = ("mnist", mnist) if drawing else ("cifar10", cifar10)
    images = package.read(smoke_run / f"data/raw/{folder}").images[stored["indices"][:40]]
    encoder = Encoder(smoke_run / f"exports/{name}.onnx")
    images = images.reshape(len(images), *encoder.size, encoder.input.channels)
    if drawing:
        layers, seen = {"maps": stored["maps"][None]}, {"maps": stored["seen_maps"][None]}
        seen_labels = stored["seen_labels"]
    else:
        new = np.isin(stored["labels"], [6, 7, 8, 9])
        layers, seen = (transforms.layers_of(stored, chosen) for chosen in (np.arange(len(new)), ~new))
        seen_labels = stored["labels"][~new]
    for method in encoder.methods:
        if method == "raw":
            expected = stored["embeddings"][:40]
        else:
            expected = transforms.transform_features(method, layers, seen, seen_labels)[:40]
        limit = 1e-4 if "power" in (METHODS | DIGIT_METHODS)[method].steps else 1e-5
        assert np.abs(encoder.encode(images, method) - expected).max() <= limit * np.abs(expected).max(), method


def test_dvc_hands_out_the_version_that_is_tagged(branch: Path, tmp_path: Path):
    for name in ("6-class", "siamese-2d"):
        smoke.git(branch, "tag", "--annotate", "--message", "a version", f"{name}@v1.0.0")
        dvc(branch, "artifacts", "get", ".", name, "--out", str(tmp_path / f"{name}.onnx"))
        assert (tmp_path / f"{name}.onnx").read_bytes() == (branch / f"exports/{name}.onnx").read_bytes()
