"""Many images to vectors, by any encoder: in order, in batches, and all mistakes found before one is reported."""

import numpy as np
import pytest
from onnx import TensorProto
from PIL import Image

from oneshot.core.errors import UserError
from oneshot.encoders.encoder import Encoder
from oneshot.evaluation.transforms import FeatureTransform
from oneshot.use import representation
from oneshot.use.mistakes import InputError
from oneshot.use.representation import make
from tests.use import stand_in


def colours(images):
    """A callable as an encoder."""
    return np.stack([image.mean((0, 1)) for image in images])


def images(count, seed=0):
    return list(np.random.default_rng(seed).integers(256, size=(count, 4, 5, 3), dtype=np.uint8))


def test_batches_change_nothing_and_are_all_that_is_held(monkeypatch):
    sizes = []

    def encode(prepared):
        sizes.append(len(prepared))
        return colours(prepared)

    monkeypatch.setattr(representation, "_BATCH_WHOLE", 4)
    given = images(11)
    assert np.allclose(make(encode, "raw")(given), colours(given))
    assert sizes == [1, 4, 4, 3]  # the first tells how many numbers there are


def test_no_bar_where_there_is_no_terminal(capfd):
    make(colours)(images(100))
    assert capfd.readouterr().err == ""


def test_the_first_mistake_is_named_and_the_others_are_counted_or_all_are_left_out(tmp_path):
    Image.new("L", (9, 9)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"bad")
    sources = [tmp_path / "good.png", tmp_path / "bad.png", np.full((3, 3), 7.0), tmp_path / "none.png"]
    vectors_of = make(colours, "raw")
    with pytest.raises(InputError, match=r"bad\.png is no image .* \(and 2 more of 4 images cannot be used\)"):
        vectors_of(sources)
    broken = {}
    found = vectors_of(sources, broken)
    assert list(broken) == [1, 2, 3] and "image 2 of those given has values from 7 to 7" in broken[2]
    assert np.isfinite(found[0]).all() and np.isnan(found[1:]).all()
    with pytest.raises(InputError):
        vectors_of(sources[1:], {})


def test_a_background_gives_the_statistics():
    known, labels, new = images(20), list("ab" * 10), images(5, seed=1)
    for method, background, expected in (
        (None, known, FeatureTransform("cl2n").fit(colours(known))),
        (None, (known, labels), FeatureTransform("whitened").fit(colours(known), labels)),
        ("standardised", known, FeatureTransform("standardised").fit(colours(known))),
    ):
        found = make(colours, method, background)
        assert found.method == expected.method
        assert np.allclose(found(new), expected.transform(colours(new)))
        assert (found.temperature is not None) == isinstance(background, tuple)
    assert np.allclose(make(colours)(new), FeatureTransform("unit").fit(colours(new)).transform(colours(new)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("7-class",), "7-class is no encoder: give an ONNX file, or one of 10-class"),
        (("none.onnx",), "none.onnx is missing"),
        ((3,), "encoder must be a name, a file or a callable, but is of type int"),
        ((colours, "cosine"), "method must be one of raw, unit, .*, but is 'cosine'"),
        ((colours, "cl2n"), "the method cl2n learns from images of other classes: give a background"),
        ((colours, "whitened", images(3)), "the method whitened needs the classes of the background"),
        ((lambda images: np.zeros(3),), r"made an array of shape \(3,\) of 1 images: it has to give one vector each"),
    ],
)
def test_what_does_not_go_together_is_a_sentence(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        make(*arguments)


def test_an_encoder_of_ones_own_is_given_what_it_takes(tmp_path):
    """The mean colour, whatever the layout, the type and the size of the batch."""
    given = images(5)
    expected = make(Encoder(stand_in.write(tmp_path / "a.onnx")), "raw")(given)
    for number, (shape, kind) in enumerate(
        [
            (("n", 3, 32, 32), TensorProto.UINT8),
            ((2, 3, 32, 32), TensorProto.UINT8),
            (("n", 32, 32, 3), TensorProto.FLOAT),
            ((4, 3, "h", "w"), TensorProto.DOUBLE),
        ]
    ):
        path = stand_in.write(tmp_path / f"{number}.onnx", shape, kind, about={})
        options = {"output": "raw"} | ({} if kind == TensorProto.UINT8 else {"preprocess": ((0.0,), (1 / 255,))})
        options |= {"size": 32} if "h" in shape else {}
        assert np.allclose(make(Encoder(path, **options), "raw")(given), expected, rtol=1e-5)
