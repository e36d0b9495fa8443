"""Photographs for the ConvNet: the middle square by area means."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from oneshot.use.photographs import prepare


def test_an_image_of_cifar_size_stays_as_it_is():
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(prepare(image), image)


@pytest.mark.parametrize("shape", [(96, 160), (160, 96), (96, 96)])
def test_the_middle_square_is_shrunk_by_means(shape):
    image = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)
    top, left = (shape[0] - 96) // 2, (shape[1] - 96) // 2
    square = image[top : top + 96, left : left + 96].astype(float)
    expected = square.reshape(32, 3, 32, 3, 3).mean((1, 3))
    # Pillow shrinks one direction after the other, and rounds in between.
    assert np.abs(prepare(image) - expected).max() <= 1


def test_real_photographs_keep_their_colours():
    for image in load_sample_images().images:
        found = prepare(image)
        side = min(image.shape[:2])
        top, left = ((size - side) // 2 for size in image.shape[:2])
        middle = image[top : top + side, left : left + side]
        assert found.shape == (32, 32, 3) and found.dtype == np.uint8
        assert np.abs(found.mean((0, 1)) - middle.mean((0, 1))).max() < 1


def test_a_small_image_is_enlarged():
    image = np.zeros((2, 3, 3), np.uint8)
    image[0] = 200
    found = prepare(image)
    assert found.shape == (32, 32, 3)
    assert (found[:8] >= 190).all() and (found[-8:] <= 10).all()
