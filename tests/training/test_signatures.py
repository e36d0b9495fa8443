"""All nets are trained by functions of the same signature."""

import inspect

import pytest

from oneshot.convnet.training import train as train_convnet
from oneshot.dense_embedding.training import train as train_dense_embedding
from oneshot.siamese.training import train as train_siamese


@pytest.mark.parametrize("train", [train_convnet, train_siamese, train_dense_embedding])
def test_every_net_is_trained_by_the_same_parameters(train):
    parameters = inspect.signature(train).parameters.values()
    by_position = [p.name for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]
    by_name = [p.name for p in parameters if p.kind == p.KEYWORD_ONLY]
    assert by_position == ["model", "train_set", "validation_set", "recipe"]
    assert by_name == ["seed", "checkpoint", "on_epoch"]
    assert len(parameters) == 7
