"""Images that the tests of this folder share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oneshot.encoders import catalogue
from tests.use import stand_in

COLOURS = {"blue": (20, 30, 220), "green": (20, 200, 40), "red": (230, 20, 10)}


def plain(colour: tuple[int, int, int], change: int = 0) -> Image.Image:
    """An image of nearly one colour."""
    pixels = np.full((40, 50, 3), colour) + np.random.default_rng(change).integers(-8, 9, (40, 50, 3)) + change
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with `examples` of three colours and `new` images; 6-class is the stand-in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalogue, "_FOLDERS", (stand_in.write(tmp_path / "encoders/6-class.onnx").parent,))
    Path("text.yaml").write_text("no image")
    Path("new").mkdir()
    for name, colour in COLOURS.items():
        folder = Path("examples") / name
        folder.mkdir(parents=True)
        for number in range(3):
            plain(colour, number).save(folder / f"{number}.png")
        plain(colour, 5).save(f"new/some {name} é.png")
    return tmp_path
