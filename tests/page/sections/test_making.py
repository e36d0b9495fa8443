"""How the results were made."""

import dataclasses

from oneshot.page.contents import contents
from oneshot.page.render import render
from oneshot.page.sections.making import section
from tests.page.elements import markup
from tests.page.made_up import made_up

ROW = "10-class net, test accuracy</th><td>0.870</td><td>0.900</td><td>{}</td><td>0.910 (1)</td>"


def test_a_single_training_has_no_interval():
    results = made_up()
    assert ROW.format("0.890 <small>± 0.127 (2)</small>") in markup(render(contents(results)))
    one = dataclasses.replace(results, studies=results.studies | {"seeds": results.study("seeds")[:1]})
    assert ROW.format("0.900 (1)") in markup(render(contents(one)))


def test_every_parameter_is_listed_by_its_full_name():
    listed = dict(section(made_up())["parameters"])
    assert listed["one_shot.shots"] == "[1, 5]"
    assert listed["convnet.recipe.augmentation.flip"] == '"alternating"'
