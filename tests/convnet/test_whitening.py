"""Whitening filters: their outputs on the data are uncorrelated and of variance one."""

import numpy as np

from oneshot.convnet.whitening import whitening_filters


def test_outputs_are_white():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(200, 30, 30, 3)).astype(np.float32)
    images[:, 1:] += images[:, :-1]  # neighbours and channels that go together
    images[..., 1] += images[..., 0]
    filters = whitening_filters(images)
    assert filters.shape == (3, 3, 3, 54)
    patches = np.stack([images[:, i : i + 28 : 3, j : j + 28 : 3] for i in range(3) for j in range(3)], axis=3)
    outputs = patches.reshape(-1, 27) @ filters.reshape(27, 54)
    np.testing.assert_allclose(outputs[:, :27].T @ outputs[:, :27] / len(outputs), np.eye(27), atol=0.02)
    np.testing.assert_array_equal(filters[..., 27:], -filters[..., :27])
