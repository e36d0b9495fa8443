"""The siamese net is the report's, layer by layer."""

import pytest

from oneshot.siamese import net


@pytest.mark.parametrize(("dimensions", "parameters"), [(2, 39_426), (3, 42_563)])
def test_layers_and_parameters(dimensions, parameters):
    model = net.build(dimensions, 0.25)
    assert model.name == f"siamese-{dimensions}d"
    assert model.count_params() == parameters
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert shapes == [
        (28, 28, 32), (14, 14, 32), (14, 14, 32), (14, 14, 64), (7, 7, 64), (7, 7, 64), (3136,), (dimensions,),
    ]  # fmt: skip
    assert model.get_layer("conv1").kernel.shape == (3, 3, 1, 32)
    assert model.get_layer("conv2").kernel.shape == (4, 4, 32, 64)
    assert [model.get_layer(f"dropout{i}").rate for i in (1, 2)] == [0.25, 0.25]
