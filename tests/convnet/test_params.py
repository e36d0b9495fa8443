"""The ConvNets' parameters: one recipe, each net's own schedule, and what cannot be trained is refused."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from oneshot.convnet.params import ConvnetParams
from oneshot.core import params
from oneshot.core.errors import UserError

ROOT = Path(__file__).parents[2]
DEFAULT = params.read(ROOT)["convnet"]


class Stage(params.Schema):
    convnet: ConvnetParams


def convnet(schedule=None, **changes):
    tree = DEFAULT | {"recipe": DEFAULT["recipe"] | changes} | ({"resolution_schedule": schedule} if schedule else {})
    return params.validate({"convnet": tree}, Stage).convnet


def test_each_net_has_its_own_resolution_schedule():
    chosen = convnet(schedule={"ten_class": [[16, 2], [24, 1]], "six_class": [[32, 1.5]]})
    assert chosen.recipe_of("10-class").sides() == [(16, 1), (16, 1), (24, 1)]
    assert chosen.recipe_of("6-class").sides() == [(32, 1), (32, 0.5)]


def test_the_recipes_of_both_nets_differ_in_their_schedules_and_extra_losses_only():
    chosen = convnet(schedule={"ten_class": [[16, 2]], "six_class": [[32, 2]]}, learning_rate=0.5)
    ten, six = (chosen.recipe_of(net).model_dump() for net in ("10-class", "6-class"))
    assert ten.pop("resolution_schedule") == [(16, 2)] and six.pop("resolution_schedule") == [(32, 2)]
    assert (ten.pop("feature_norm_penalty"), six.pop("feature_norm_penalty")) == (0, 3)
    assert (ten.pop("dense_classification_loss"), six.pop("dense_classification_loss")) == (0, 1)
    assert ten == six == chosen.recipe.model_dump()
    assert ten["learning_rate"] == 0.5


@pytest.mark.parametrize("name", ["report", "thorough"])
def test_a_recipe_in_a_file_changes_known_parameters_to_valid_values(name):
    tree = params.read(ROOT)
    words = (ROOT / "recipes" / name).read_text().split()
    assert set(words[::2]) == {"-S"}
    for key, value in (word.split("=") for word in words[1::2]):
        *groups, leaf = key.split(".")
        group = tree
        for part in groups:
            group = group[part]
        assert leaf in group, key
        group[leaf] = YAML(typ="safe", pure=True).load(value)
    chosen = params.validate({"convnet": tree["convnet"]}, Stage).convnet
    assert chosen.recipe_of("10-class") != params.validate({"convnet": DEFAULT}, Stage).convnet.recipe_of("10-class")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"schedule": {"ten_class": [[20, 1]], "six_class": [[32, 1]]}}, r"schedule\.ten_class\.0\.0: .*multiple of 8"),
        ({"schedule": {"ten_class": [[40, 1]], "six_class": [[32, 1]]}}, r"schedule\.ten_class\.0\.0: .*equal to 32"),
        ({"schedule": {"ten_class": [[32, 1]], "six_class": []}}, r"schedule\.six_class: .*at least 1 item"),
        ({"schedule": {"ten_class": [[32, 0]], "six_class": [[32, 1]]}}, r"0\.1: .*greater than or equal to 0\.01"),
        ({"schedule": {"ten_class": [[32]], "six_class": [[32, 1]]}}, r"ten_class\.0\.1: is missing"),
        ({"optimizer": "muon", "batch_norm": False}, r"recipe: .*needs batch_norm true"),
        ({"optimizer": "sgd"}, r"recipe\.optimizer: should be 'adam' or 'muon'"),
        ({"warmup": 1.5}, r"recipe\.warmup: .*less than or equal to 1"),
        ({"dropout_units": 1.0}, r"recipe\.dropout_units: .*less than 1"),
        ({"augmentation": DEFAULT["recipe"]["augmentation"] | {"flip": "random"}}, r"flip: should be 'none' or 'alt"),
    ],
)
def test_impossible_recipes_are_refused(changes, rule):
    with pytest.raises(UserError, match=rf"^params\.yaml: convnet\..*{rule}"):
        convnet(**changes)
