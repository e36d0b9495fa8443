"""How the results were made."""

import dataclasses

from oneshot.page.contents import contents
from oneshot.page.render import render
from oneshot.page.sections.making import section
from tests.page.elements import markup, words
from tests.page.made_up import made_up

ROW = "10-class net, test accuracy</th><td>0.870</td><td>0.900</td><td>{}</td><td>0.910 (1)</td>"


def test_means_over_trainings_need_several_and_this_run_among_them():
    results = made_up()
    assert ROW.format("0.890 <small>± 0.127 (2)</small>") in markup(render(contents(results)))
    one = dataclasses.replace(results, studies=results.studies | {"seeds": results.study("seeds")[:1]})
    alone = "0.870</td><td>0.900</td><td></td><td></td>"
    assert alone in markup(render(contents(one)))
    other = render(contents(dataclasses.replace(results, params=results.params | {"seed": 9})))
    assert alone in markup(other)


def test_a_run_beside_the_studies_of_another_one_says_so():
    results, note = made_up(), "parameters or seeds, not this run"
    metric = "one-shot, the report's protocol"
    reached = results.metrics["one_shot_cifar10"]["report_protocol"]["accuracy"]
    for accuracies, said in (((reached, 0.5), False), ((0.4, 0.6), True)):
        seeds = results.study("seeds").assign(**{metric: accuracies})
        page = render(contents(dataclasses.replace(results, studies=results.studies | {"seeds": seeds})))
        assert (note in words(page)) is said


def test_every_parameter_is_listed_by_its_full_name():
    listed = dict(section(made_up())["parameters"])
    assert listed["one_shot.shots"] == "[1, 5]"
    assert listed["convnet.recipe.augmentation.flip"] == '"alternating"'
