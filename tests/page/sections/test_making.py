"""How the results were made."""

import dataclasses

import pytest

from oneshot.page.contents import contents
from oneshot.page.render import render
from oneshot.page.sections.making import section
from tests.page.elements import markup
from tests.page.made_up import made_up


def test_a_single_training_has_no_deviation():
    results = made_up()
    shown = markup(render(contents(dataclasses.replace(results, seeds=results.seeds[:1]))))
    assert "10-class net, test accuracy</th><td>0.900 <small>± \N{EN DASH}</small></td><td>1</td>" in shown


def test_the_thorough_recipe_stands_beside_for_the_convnets_only():
    ten, digits = section(made_up())["seeds"]
    assert (ten["mean"], ten["mean_thorough"]) == (pytest.approx(0.89), 0.91)
    assert (ten["deviation_thorough"], ten["trainings_thorough"]) == (None, 1)
    assert digits["mean"] == 0.5 and digits["mean_thorough"] is None


def test_every_parameter_is_listed_by_its_full_name():
    listed = dict(section(made_up())["parameters"])
    assert listed["one_shot.shots"] == "[1, 5]"
    assert listed["convnet.recipe.augmentation.flip"] == '"alternating"'
