"""MNIST as arrays: in the official order, in parts as the nets need them, and other files are refused."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.datasets import mnist

SIZES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A folder of black images, in sparse files that take no space."""
    raw = tmp_path / "mnist"
    raw.mkdir()
    for name, shape in SIZES.items():
        (raw / name).write_bytes(bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes())
        os.truncate(raw / name, 4 + 4 * len(shape) + int(np.prod(shape)))
    return raw


def put(path, place: int, content: bytes):
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def test_images_are_in_the_official_order(folder):
    put(folder / "t10k-images-idx3-ubyte", 16, b"\x07")
    put(folder / "t10k-labels-idx1-ubyte", 8, b"\x05")
    images, labels, indices = mnist.read(folder)
    assert images.shape == (70_000, 28, 28) and images.dtype == np.uint8
    assert labels.shape == (70_000,) and labels.dtype == np.uint8
    assert images[mnist.TRAINING, 0, 0] == 7
    assert np.flatnonzero(labels).tolist() == [mnist.TRAINING]
    assert np.array_equal(indices, np.arange(70_000))


def test_parts_are_scaled_and_keep_their_places(folder, tmp_path):
    put(folder / "train-images-idx3-ubyte", 16 + 3 * 784, b"\xff\x33")
    put(folder / "train-labels-idx1-ubyte", 8 + 3, b"\x05")
    splits = {"seen_train": np.array([1, 3]), "unseen_test": np.array([60_001, 69_999, 60_000])}
    files.write_arrays(tmp_path / "splits", splits)
    parts = mnist.read_parts(folder, tmp_path / "splits")
    assert list(parts) == ["seen_train", "unseen_test"]
    images, labels, indices = parts["seen_train"]
    assert images.shape == (2, 28, 28, 1) and images.dtype == np.float32
    assert images[:, 0, :3, 0].tolist() == [[0, 0, 0], [1, np.float32(51) / np.float32(255), 0]]
    assert labels.tolist() == [0, 5] and indices.tolist() == [1, 3]
    assert parts["unseen_test"].indices.tolist() == [60_001, 69_999, 60_000]


def test_features_of_the_test_parts_are_joined_seen_digits_first():
    def part(labels, indices):
        return LabelledImages(np.zeros((len(labels), 28, 28, 1), np.float32), np.array(labels), np.array(indices))

    parts = {"unseen_test": part([7, 8], [70, 80]), "seen_test": part([0], [5]), "seen_train": part([1], [1])}
    embedded = {"unseen_test": np.array([[7.0, 0], [8, 0]]), "seen_test": np.array([[5.0, 1]])}
    maps = {"seen_test": np.array([[1]]), "unseen_test": np.array([[2], [3]])}
    joined = mnist.test_features(parts, embeddings=embedded, maps=maps)
    assert {name: array.tolist() for name, array in joined.items()} == {
        "embeddings": [[5, 1], [7, 0], [8, 0]],
        "maps": [[1], [2], [3]],
        "labels": [0, 7, 8],
        "indices": [5, 70, 80],
    }


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="train-images-idx3-ubyte is missing"):
        mnist.read(tmp_path)


def test_a_label_above_9_is_refused(folder):
    put(folder / "train-labels-idx1-ubyte", 8, b"\xff")
    with pytest.raises(UserError, match="train-labels-idx1-ubyte holds the label 255"):
        mnist.read(folder)


@pytest.mark.parametrize("header", [b"\x01", b"\0\0\x0d", b"\0\0\x08\x01", b"\0\0\x08\x03\0\0\xea\x61"])
def test_an_idx_file_of_another_type_or_shape_is_refused(folder, header):
    put(folder / "train-images-idx3-ubyte", 0, header)
    with pytest.raises(UserError, match="train-images-idx3-ubyte has no IDX header for bytes of shape"):
        mnist.read(folder)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match="is missing"):
        mnist.read_idx(tmp_path, (3,))


@settings(deadline=None, max_examples=50)
@given(array=arrays.arrays(np.uint8, arrays.array_shapes(max_dims=3, max_side=9)), extra=st.binary(max_size=3))
def test_an_idx_file_comes_back_and_one_with_more_bytes_is_refused(tmp_path_factory, array, extra):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(idx(array) + extra)
    if extra:
        with pytest.raises(UserError, match="bytes instead of"):
            mnist.read_idx(path, array.shape)
    else:
        assert np.array_equal(mnist.read_idx(path, array.shape), array)


def test_each_digit_has_a_name():
    assert "".join(mnist.NAMES) == "0123456789"
