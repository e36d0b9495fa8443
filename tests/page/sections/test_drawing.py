"""The section to draw in: the accuracy that it states, and the weights that its script computes with."""

import base64

import numpy as np

from oneshot.page.sections import drawing
from tests.page.made_up import made_up


def test_it_says_how_often_unseen_digits_are_right():
    assert drawing.section(made_up())["drawing"] == {"shots": 1, "accuracy": 0.5, "ways": 5, "chance": 0.2}
    other = drawing.section(made_up(one_shot__shots=[10, 2], mnist__unseen_digits=[5, 6, 7, 8]))["drawing"]
    assert (other["shots"], other["ways"]) == (2, 4)


def test_the_script_gets_all_weights_as_they_are():
    results = made_up()
    packed = drawing.section(results)["net"]
    assert packed.keys() == {name for name in results.drawing_net if name != "scale"}
    for name, entry in packed.items():
        values = np.frombuffer(base64.b64decode(entry["values"]), "<f4").reshape(entry["shape"])
        assert np.array_equal(values, results.drawing_net[name])
