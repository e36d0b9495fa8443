"""The dense embedding net: its table and where it is cut."""

import numpy as np

from oneshot import dense_embedding


def test_layers_and_parameters():
    model = dense_embedding.build(10)
    assert model.count_params() == 43_872
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert shapes == [(28, 28, 64), (14, 14, 64), (14, 14, 64), (7, 7, 64), (3136,), (2,), (10,)]


def test_cut_shares_the_weights_and_ends_in_two_units():
    model = dense_embedding.build(5)
    images = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype(np.float32)
    embedded = dense_embedding.cut(model)(images).numpy()
    logits = model.get_layer("logits")
    np.testing.assert_allclose(embedded @ logits.kernel.numpy() + logits.bias.numpy(), model(images), atol=1e-5)
