"""The last maps of the digit nets, against plain loops."""

import numpy as np
import pytest

from oneshot.dense_embedding import net as dense
from oneshot.siamese import net as siamese
from oneshot.training.maps import last_maps
from oneshot.training.tensorflow import keras


@pytest.mark.parametrize("model", [siamese.build(3, dropout=0.2), dense.build(4)], ids=["siamese", "dense"])
def test_maps_are_means_over_overlapping_cells(model: keras.Sequential):
    images = np.random.default_rng(2).random((3, 28, 28, 1), np.float32)
    whole = keras.Model(model.inputs[0], model.get_layer("pool2").output)(images).numpy()
    assert whole.shape == (3, 7, 7, 64)
    expected = np.zeros((3, 3, 3, 64))
    for row in range(3):
        for column in range(3):
            for y in range(2 * row, 2 * row + 3):
                for x in range(2 * column, 2 * column + 3):
                    expected[:, row, column] += whole[:, y, x] / 9
    np.testing.assert_allclose(last_maps(model)(images), expected.reshape(3, -1), rtol=1e-5, atol=1e-7)
