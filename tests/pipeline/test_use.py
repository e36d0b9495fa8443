"""The nets of the small run on images of one's own: what a user does after `make repro`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from oneshot.core import files
from oneshot.datasets import cifar10
from oneshot.encoders.encoder import Encoder
from oneshot.nets.table import DRAWINGS
from oneshot.use.representation import make

pytestmark = [pytest.mark.pipeline, pytest.mark.data]


def oneshot(folder: Path, *words: str | Path) -> str:
    """Run the command line in a project; return what it printed."""
    command = [sys.executable, "-m", "oneshot", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def photographs(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Test images of the unseen classes as PNG: a folder per class, named by their positions in CIFAR-10."""
    root = tmp_path_factory.mktemp("own images, with a spáce")
    data = files.read_arrays(smoke_run / "features/6-class")
    images = cifar10.read(smoke_run / "data/raw/cifar10").images
    for label in (6, 7, 8, 9):
        (root / cifar10.NAMES[label]).mkdir()
        for index in data["indices"][data["labels"] == label][:12]:
            Image.fromarray(images[index]).save(root / cifar10.NAMES[label] / f"{index}.png")
    return root


def test_an_image_written_as_png_has_the_representation_that_the_pipeline_stored(smoke_run: Path, photographs: Path):
    data = files.read_arrays(smoke_run / "features/6-class")
    stored = dict(zip(data["indices"].tolist(), data["embeddings"], strict=True))
    paths = sorted(photographs.rglob("*.png"))
    found = make(Encoder(smoke_run / "exports/6-class.onnx"), "raw")(paths)
    expected = np.stack([stored[int(path.stem)] for path in paths])
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_photographs_are_classified_and_the_classes_evaluated(smoke_run: Path, photographs: Path, tmp_path: Path):
    out = oneshot(smoke_run, "classify", photographs, photographs / "frog", "--csv", tmp_path / "table.csv")
    assert len(out.splitlines()) == 13
    table = pd.read_csv(tmp_path / "table.csv")
    assert set(table["class"]) <= {"frog", "horse", "ship", "truck"}
    out = oneshot(smoke_run, "evaluate", photographs, "--episodes", "20", "--picture", tmp_path / "picture.png")
    assert out.startswith("4 classes, 48 images; encoder 6-class, method flip_prerelu_gap_whitened; 20 episodes")
    assert Image.open(tmp_path / "picture.png").format == "PNG"


@pytest.mark.parametrize(
    ("net", "method"),
    [*((name, "raw") for name in DRAWINGS), ("siamese-2d", "maps_whitened")],
)
def test_drawings_are_told_apart(smoke_run: Path, tmp_path: Path, net: str, method: str):
    """A vertical bar and a ring, of other sizes, places and colours than their one example."""
    places = {"examples": (300, 20, (80, 60)), "new": (150, 230, (10, 20))}
    for folder, (side, ink, (left, top)) in places.items():
        for name in ("bar", "ring"):
            image = Image.new("L", (side, side), 250 - ink)
            box, width = (left, top, left + side // 3, top + side // 2), side // 16
            if name == "ring":
                ImageDraw.Draw(image).ellipse(box, outline=ink, width=width)
            else:
                ImageDraw.Draw(image).line((box[0], box[1], box[0], box[3]), fill=ink, width=width)
            path = tmp_path / folder / (f"{name}/1.png" if folder == "examples" else f"{name}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
    words = "--encoder", net, "--method", method, "--csv", tmp_path / "table.csv"
    oneshot(smoke_run, "classify", tmp_path / "examples", tmp_path / "new", *words)
    assert pd.read_csv(tmp_path / "table.csv")["class"].tolist() == ["bar", "ring"]
