import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from packing import naive_batch, some_images

from oneshot.datasets import read_cifar10, read_cifar_batch, read_idx, read_mnist
from oneshot.errors import UserError

CIFAR_FILES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
MNIST_SIZES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def cifar(tmp_path):
    """A folder of empty images: files with holes, so that they take no space."""
    for name in CIFAR_FILES:
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, 30_730_000)
    return tmp_path


@pytest.fixture
def mnist(tmp_path):
    for name, shape in MNIST_SIZES.items():
        (tmp_path / name).write_bytes(bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes())
        os.truncate(tmp_path / name, 4 + 4 * len(shape) + int(np.prod(shape)))
    return tmp_path


def put(path, place: int, content: bytes):
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def test_batch_against_naive_encoding(tmp_path):
    images, labels = some_images(7)
    (tmp_path / "batch").write_bytes(naive_batch(images, labels))
    found_images, found_labels = read_cifar_batch(tmp_path / "batch", 7)
    assert found_images.dtype == found_labels.dtype == np.uint8
    assert np.array_equal(found_images, images)
    assert np.array_equal(found_labels, labels)


def test_cifar10_is_in_the_official_order(cifar):
    for number, name in enumerate(CIFAR_FILES):
        put(cifar / name, 0, bytes([number, 10 + number]))  # the label, and the first red pixel, of the first image
    images, labels = read_cifar10(cifar)
    assert images.shape == (60_000, 32, 32, 3)
    assert labels.shape == (60_000,)
    assert labels[::10_000].tolist() == [0, 1, 2, 3, 4, 5]
    assert images[::10_000, 0, 0].tolist() == [[10 + number, 0, 0] for number in range(6)]


def test_mnist_is_in_the_official_order(mnist):
    put(mnist / "t10k-images-idx3-ubyte", 16, b"\x07")
    put(mnist / "t10k-labels-idx1-ubyte", 8, b"\x05")
    images, labels = read_mnist(mnist)
    assert images.shape == (70_000, 28, 28)
    assert labels.shape == (70_000,)
    assert images[60_000, 0, 0] == 7
    assert np.flatnonzero(labels).tolist() == [60_000]


def test_missing_file(cifar, tmp_path):
    (cifar / "data_batch_1.bin").unlink()
    with pytest.raises(UserError, match=r"data_batch_1\.bin is missing: run dvc repro"):
        read_cifar10(cifar)
    with pytest.raises(UserError, match="train-images-idx3-ubyte is missing"):
        read_mnist(tmp_path)


@pytest.mark.parametrize("size", [0, 30_729_999, 30_730_001, 1 << 36])
def test_batch_of_another_size_is_refused_unread(cifar, size):
    os.truncate(cifar / "data_batch_1.bin", size)
    with pytest.raises(UserError, match=rf"data_batch_1\.bin has {size} bytes instead of 30730000: delete it"):
        read_cifar10(cifar)


def test_label_above_9(cifar, mnist):
    put(cifar / "data_batch_1.bin", 3073, b"\x0a")
    with pytest.raises(UserError, match=r"data_batch_1\.bin holds the label 10"):
        read_cifar10(cifar)
    put(mnist / "train-labels-idx1-ubyte", 8, b"\xff")
    with pytest.raises(UserError, match="train-labels-idx1-ubyte holds the label 255"):
        read_mnist(mnist)


@pytest.mark.parametrize("header", [b"\x01", b"\0\0\x0d", b"\0\0\x08\x01", b"\0\0\x08\x03\0\0\xea\x61"])
def test_idx_of_another_type_or_shape(mnist, header):
    put(mnist / "train-images-idx3-ubyte", 0, header)
    with pytest.raises(UserError, match="train-images-idx3-ubyte has no IDX header for bytes of shape"):
        read_mnist(mnist)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match="is missing"):
        read_idx(tmp_path, (3,))


@settings(deadline=None, max_examples=50)
@given(array=arrays.arrays(np.uint8, arrays.array_shapes(max_dims=3, max_side=9)), extra=st.binary(max_size=3))
def test_idx_round_trip(tmp_path_factory, array, extra):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(idx(array) + extra)
    if extra:
        with pytest.raises(UserError, match="bytes instead of"):
            read_idx(path, array.shape)
    else:
        assert np.array_equal(read_idx(path, array.shape), array)
