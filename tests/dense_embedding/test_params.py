"""The dense embedding nets' parameters: what cannot be trained is refused."""

from pathlib import Path

import pytest

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.dense_embedding.params import DenseEmbeddingParams

GROUP = params.read(Path(__file__).parents[2])["dense_embedding"]


class Stage(params.Schema):
    dense_embedding: DenseEmbeddingParams


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"epochs": 0}, r"epochs: should be greater than or equal to 1"),
        ({"batch": 0}, r"batch: should be greater than or equal to 1"),
        ({"learning_rate": 0}, r"learning_rate: should be greater than 0"),
    ],
)
def test_impossible_recipes_are_refused(change, rule):
    with pytest.raises(UserError, match=rf"^params\.yaml: dense_embedding\.{rule}"):
        params.validate({"dense_embedding": GROUP | change}, Stage)
