"""The dense embedding net: its table, and the part of it that embeds."""

import numpy as np

from oneshot.dense_embedding import net


def test_layers_and_parameters():
    model = net.build(10)
    assert model.count_params() == 43_872
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert shapes == [(28, 28, 64), (14, 14, 64), (14, 14, 64), (7, 7, 64), (3136,), (2,), (10,)]


def test_the_embedding_shares_the_weights_and_ends_in_two_units():
    model = net.build(5)
    images = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype(np.float32)
    embedded = net.embedding(model)(images).numpy()
    assert embedded.shape == (3, 2)
    logits = model.get_layer("logits")
    np.testing.assert_allclose(embedded @ logits.kernel.numpy() + logits.bias.numpy(), model(images), atol=1e-5)
    model.get_layer("embedding").bias.assign_add([1.0, 2.0])
    np.testing.assert_allclose(net.embedding(model)(images), embedded + np.array([1, 2]), atol=1e-5)
