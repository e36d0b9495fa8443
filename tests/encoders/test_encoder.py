"""Any ONNX file as an encoder: what it takes is found out, and what does not fit is one sentence."""

import hashlib
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from oneshot.core import processor
from oneshot.core.errors import UserError
from oneshot.encoders import catalogue
from oneshot.encoders.encoder import PREPROCESS, Encoder
from oneshot.nets.table import DRAWINGS
from tests.use import stand_in

IMAGES = np.random.default_rng(0).integers(256, size=(5, 32, 32, 3), dtype=np.uint8)


def test_the_projects_own_file_says_everything_itself(tmp_path: Path):
    encoder = Encoder(stand_in.write(tmp_path / "own.onnx"))
    assert (encoder.name, encoder.kind, encoder.size, encoder.methods) == (
        "6-class",
        "photograph",
        (32, 32),
        ("raw", "root"),
    )
    assert encoder.temperature("raw") == (900, 900) and encoder.temperature("root") is None
    assert np.allclose(encoder.encode(IMAGES), IMAGES.mean((1, 2)), rtol=1e-5)
    assert np.allclose(encoder.encode(IMAGES, "root"), np.sqrt(IMAGES.mean((1, 2))), rtol=1e-5)


@pytest.mark.parametrize("name", PREPROCESS)
def test_pixels_are_scaled_as_the_nets_take_them(tmp_path: Path, name: str):
    path = stand_in.write(tmp_path / "other.onnx", ("n", 3, 32, 32), TensorProto.FLOAT, about={})
    mean, deviation = (np.array(values) for values in PREPROCESS[name])
    found = Encoder(path, preprocess=name, output="raw").encode(IMAGES)
    assert np.allclose(found, (IMAGES.mean((1, 2)) / 255 - mean) / deviation, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "kind", "options", "sentence"),
    [
        (("n", "h", "w", 3), TensorProto.UINT8, {"output": "raw"}, "takes images of any size: say which side"),
        (
            ("n", 32, 32, 3),
            TensorProto.UINT8,
            {"size": 16, "output": "raw"},
            "takes images of 32 x 32 pixels: leave out",
        ),
        (
            ("n", 32, 32, 3),
            TensorProto.FLOAT,
            {"output": "raw"},
            "takes floats: say how pixels are scaled, --preprocess imag",
        ),
        (
            ("n", 32, 32, 3),
            TensorProto.FLOAT,
            {"output": "raw", "preprocess": "x"},
            "preprocess must be one of imagenet, clip",
        ),
        (("n", 32, 32, 3), TensorProto.FLOAT, {"output": "raw", "preprocess": ((1, 2), (1, 1))}, "one number or three"),
        (("n", 32, 32, 3), TensorProto.FLOAT, {"output": "raw", "preprocess": ((1,), (0,))}, "std must be above 0"),
        (
            ("n", 32, 32, 3),
            TensorProto.UINT8,
            {"output": "raw", "preprocess": "clip"},
            "takes pixels from 0 to 255: leave out",
        ),
        (("n", 32, 32, 3), TensorProto.UINT8, {}, "has several outputs .raw .'n', 3., root .'n', 3..: choose one"),
        (("n", 32, 32, 3), TensorProto.UINT8, {"output": "x"}, "has no output x: it has raw"),
        (("n", "h", "w", 3), TensorProto.UINT8, {"output": "raw", "size": 0}, "from 1 to 4096 pixels, but is 0"),
        (("n", "h", "w", 3), TensorProto.UINT8, {"output": "raw", "size": 5000}, "from 1 to 4096 pixels, but is 5000"),
        (("n", 32, 32, 7), TensorProto.UINT8, {"output": "raw"}, "no axis has one or three channels"),
        (
            ("n", 32, 32, 3),
            TensorProto.INT64,
            {"output": "raw"},
            r"takes tensor\(int64\): an encoder takes images of uint8",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path: Path, shape, kind, options, sentence):
    path = stand_in.write(tmp_path / "other.onnx", shape, kind, about={})
    with pytest.raises(UserError, match=sentence):
        Encoder(path, **options)


@pytest.mark.parametrize(
    "about",
    [
        *({}, {"methods": "5"}, {"default_method": "x"}, {"temperatures": "[1]"}, {"name": "7"}),
        *({"temperatures": f'{{"raw": {value}}}'} for value in ("7", "[1]", '["a", 1]', "[NaN, 1]", "[0, 1]")),
    ],
)
def test_damaged_metadata_are_one_sentence(tmp_path: Path, about: dict[str, str]):
    own = {"oneshot": "1", "methods": '["raw", "root"]', "default_method": "raw"} if about else {"oneshot": "1"}
    with pytest.raises(UserError, match=r"own\.onnx has damaged metadata"):
        Encoder(stand_in.write(tmp_path / "own.onnx", about=own | about))


def test_the_outputs_of_the_projects_own_file_are_chosen_by_method(tmp_path: Path):
    with pytest.raises(UserError, match="choose by --method"):
        Encoder(stand_in.write(tmp_path / "own.onnx"), output="root")


def test_one_vector_for_all_images_is_refused(tmp_path: Path):
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], axes=[0, 1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["vector"]),
    ]
    given = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 32, 32, 3])
    made = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 3])
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [0])
    graph = helper.make_graph(nodes, "one", [given], [made], [axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "one.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=r"gives \[1, 3\] for 5 images: an encoder gives one vector per image"):
        Encoder(tmp_path / "one.onnx").encode(IMAGES)


def test_weights_beside_the_file_are_part_of_its_digest(tmp_path: Path):
    path = stand_in.write(tmp_path / "own.onnx")
    alone = Encoder(path).digest
    assert alone == hashlib.sha256(path.read_bytes()).hexdigest()
    found = set()
    for content in (b"1", b"2"):
        (tmp_path / "own.onnx.data").write_bytes(content)
        found.add(Encoder(path).digest)
    assert len(found | {alone}) == 3


def test_a_file_that_is_no_net_is_one_sentence(tmp_path: Path):
    (tmp_path / "text.onnx").write_text("no net")
    with pytest.raises(UserError, match=r"text.onnx is no ONNX file that onnxruntime can load"):
        Encoder(tmp_path / "text.onnx")


def _encode(encoder: Encoder) -> np.ndarray:
    return encoder.encode(IMAGES)


def test_its_threads_are_those_that_may_compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(processor.THREADS, "3")
    session = Encoder(stand_in.write(tmp_path / "net.onnx"))._session()
    assert session.get_session_options().intra_op_num_threads == 3


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_and_threads_may_share_it(tmp_path: Path, method: str):
    encoder = Encoder(stand_in.write(tmp_path / "own.onnx"))
    expected = encoder.encode(IMAGES)
    with ThreadPoolExecutor(6) as threads:
        assert all(np.array_equal(found, expected) for found in threads.map(_encode, [encoder] * 20))
    assert np.array_equal(pickle.loads(pickle.dumps(encoder)).encode(IMAGES), expected)
    with multiprocessing.get_context(method).Pool(2) as processes:
        found = processes.map_async(_encode, [encoder] * 4).get(timeout=120)
    assert all(np.array_equal(one, expected) for one in found)


def test_the_encoders_for_drawings_are_there_and_say_what_they_are():
    for name in DRAWINGS:
        encoder = Encoder(catalogue.find(name))
        assert (encoder.name, encoder.kind, encoder.methods[0]) == (name, "drawing", "maps_whitened")
        lengths = np.linalg.norm(
            encoder.encode(np.random.default_rng(0).integers(256, size=(3, 28, 28, 1), dtype=np.uint8)), axis=1
        )
        assert np.allclose(lengths, 1, atol=1e-5)


def test_one_for_photographs_that_is_not_there_says_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue, "_FOLDERS", (tmp_path,))
    with pytest.raises(
        UserError, match=r"the encoder 10-class, for photographs, is not here.*make repro.*siamese-3d works now"
    ):
        catalogue.find("10-class")


def test_an_encoder_leaves_nothing_in_the_home_folder(tmp_path):
    """As onnxruntime's telemetry does, which is on unless it is switched off before the import."""
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    code = "from oneshot.encoders.encoder import Encoder; from oneshot.encoders.catalogue import find"
    code += "; import numpy as np; Encoder(find('siamese-2d')).encode(np.zeros((1, 28, 28, 1), np.uint8))"
    own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": "src"}
    subprocess.run([sys.executable, "-c", code], env=clean | own, check=True, cwd=Path(__file__).parents[2])
    assert list(tmp_path.iterdir()) == []
