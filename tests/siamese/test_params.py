"""The siamese nets' parameters: what cannot be trained is refused."""

from pathlib import Path

import pytest

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.siamese.params import Margin, Recipe, SiameseParams

TREE = params.read(Path(__file__).parents[2])


class Stage(params.Schema):
    margin: Margin
    siamese: SiameseParams


def test_the_recipe_is_the_group_and_the_margin():
    chosen = params.validate(TREE, Stage)
    recipe = Recipe(margin=chosen.margin, **dict(chosen.siamese))
    assert recipe.model_dump() == {"margin": TREE["margin"]} | TREE["siamese"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"margin": 0}, r"margin: should be greater than 0"),
        ({"siamese": TREE["siamese"] | {"batch": 2049}}, r"siamese\.batch: should be less than or equal to 2048"),
        ({"siamese": TREE["siamese"] | {"batch": 2}}, r"siamese\.batch: should be greater than or equal to 4"),
        ({"siamese": TREE["siamese"] | {"epochs": 0}}, r"siamese\.epochs: should be greater than or equal to 1"),
        ({"siamese": TREE["siamese"] | {"shift": 1.0}}, r"siamese\.shift: should be less than 1"),
        ({"siamese": TREE["siamese"] | {"evaluation_pairs": 1}}, r"siamese\.evaluation_pairs: .*equal to 2"),
        ({"siamese": TREE["siamese"] | {"learning_rate": 0.0}}, r"siamese\.learning_rate: should be greater than 0"),
    ],
)
def test_impossible_recipes_are_refused(change, rule):
    with pytest.raises(UserError, match=rf"^params\.yaml: {rule}"):
        params.validate(TREE | change, Stage)
