"""Broken input for the readers of the data sets."""

import pytest

from oneshot.datasets.cifar10 import read_batch
from oneshot.datasets.mnist import read_idx
from tests.helpers.fuzz import check_broken_inputs
from tests.helpers.packing import naive_batch, some_images


def check_idx(content, path):
    path.write_bytes(content)
    found = read_idx(path, (3, 4, 5))
    assert found.shape == (3, 4, 5)


def check_cifar(content, path):
    path.write_bytes(content)
    images, labels = read_batch(path, 3)
    assert images.shape == (3, 32, 32, 3)
    assert labels.max() <= 9


CASES = {
    "idx": (check_idx, bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]) + bytes(60)),
    "cifar": (check_cifar, naive_batch(*some_images(3))),
}


@pytest.mark.parametrize("name", CASES)
def test_broken_input(name, tmp_path, monkeypatch):
    check, good = CASES[name]
    check_broken_inputs(name, check, good, tmp_path / "file", monkeypatch)
