"""Many images to vectors: in order, in batches, and all mistakes found before one is reported."""

import numpy as np
import pytest
from PIL import Image

from oneshot.use import representation
from oneshot.use.mistakes import InputError
from tests.use import stand_in


def test_batches_change_nothing(monkeypatch):
    images = [np.full((4, 4, 3), value, np.uint8) for value in range(11)]
    monkeypatch.setattr(representation, "_BATCH", 4)
    found = representation.represent(stand_in.load("6-class", "centred"), images)
    assert found.tolist() == representation.represent(stand_in.load("6-class", "centred"), images[:11]).tolist()
    # Method centred: minus the zeros of the stand-in, at length 1; black has no length.
    assert np.allclose(found, [[0, 0, 0]] + [[3**-0.5] * 3] * 10)


def test_a_batch_is_all_that_is_held(monkeypatch):
    monkeypatch.setattr(representation, "_BATCH", 4)
    net, sizes = stand_in.load("6-class", "raw"), []
    object.__setattr__(net, "embed", lambda inputs: sizes.append(len(inputs)) or {"units": inputs.mean((1, 2))[None]})
    representation.represent(net, [np.zeros((2, 2), np.uint8)] * 11)
    assert sizes == [4, 4, 3]


def test_many_images_have_one_progress_bar_and_few_have_none(capfd):
    net = stand_in.load("6-class")
    representation.represent(net, [np.zeros((2, 2), np.uint8)] * 10)
    assert capfd.readouterr().err == ""
    representation.represent(net, [np.zeros((2, 2), np.uint8)] * 100)
    assert "/100 [" in capfd.readouterr().err


def test_the_first_mistake_is_named_and_the_others_are_counted(tmp_path):
    Image.new("L", (9, 9)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"bad")
    sources = [tmp_path / "good.png", tmp_path / "bad.png", np.zeros((3, 3)), tmp_path / "none.png"]
    with pytest.raises(InputError, match=r"bad\.png is no image .* \(and 2 more of 4 images cannot be used\)"):
        representation.represent(stand_in.load("6-class"), sources)
    with pytest.raises(InputError, match="image 2 of those given has values of type float64"):
        representation.represent(stand_in.load("6-class"), [sources[0], sources[0], sources[2]])
