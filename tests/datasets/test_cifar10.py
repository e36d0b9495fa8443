"""CIFAR-10 as arrays: in the official order, compared with a naive encoding, and other files are refused."""

import os

import numpy as np
import pytest

from oneshot.core.errors import UserError
from oneshot.datasets import cifar10
from tests.helpers.packing import naive_batch, some_images

FILES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]


@pytest.fixture
def folder(tmp_path):
    """A folder of black images, in sparse files that take no space."""
    for name in FILES:
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, 30_730_000)
    return tmp_path


def put(path, place: int, content: bytes):
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def test_a_batch_equals_a_naive_encoding(tmp_path):
    images, labels = some_images(7)
    (tmp_path / "batch").write_bytes(naive_batch(images, labels))
    found_images, found_labels = cifar10.read_batch(tmp_path / "batch", 7)
    assert found_images.dtype == found_labels.dtype == np.uint8
    assert np.array_equal(found_images, images)
    assert np.array_equal(found_labels, labels)


def test_images_are_in_the_official_order(folder):
    for number, name in enumerate(FILES):
        put(folder / name, 0, bytes([number, 10 + number]))  # the label, and the first red pixel, of the first image
    images, labels, indices = cifar10.read(folder)
    assert images.shape == (60_000, 32, 32, 3) and images.dtype == np.uint8
    assert labels.shape == (60_000,) and labels.dtype == np.uint8
    assert labels[::10_000].tolist() == [0, 1, 2, 3, 4, 5]
    assert images[::10_000, 0, 0].tolist() == [[10 + number, 0, 0] for number in range(6)]
    assert np.array_equal(indices, np.arange(60_000)) and indices.dtype == np.int64
    assert cifar10.TRAINING == 50_000 and labels[cifar10.TRAINING] == 5


def test_a_missing_file_is_named(folder):
    (folder / "data_batch_1.bin").unlink()
    with pytest.raises(UserError, match=r"data_batch_1\.bin is missing: run dvc repro"):
        cifar10.read(folder)


@pytest.mark.parametrize("size", [0, 30_729_999, 30_730_001, 1 << 36])
def test_a_batch_of_another_size_is_refused_unread(folder, size):
    os.truncate(folder / "data_batch_1.bin", size)
    with pytest.raises(UserError, match=rf"data_batch_1\.bin has {size} bytes instead of 30730000: delete it"):
        cifar10.read(folder)


def test_a_label_above_9_is_refused(folder):
    put(folder / "data_batch_1.bin", 3073, b"\x0a")
    with pytest.raises(UserError, match=r"data_batch_1\.bin holds the label 10"):
        cifar10.read(folder)


def test_each_label_has_a_name():
    assert len(set(cifar10.NAMES)) == 10
