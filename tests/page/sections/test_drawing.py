"""The section to draw in: the accuracy that it states, and the weights that its script computes with."""

import dataclasses

import numpy as np
import pandas as pd

from oneshot.evaluation import transforms
from oneshot.page.contents import contents
from oneshot.page.render import render
from oneshot.page.sections import drawing
from tests.page.elements import words
from tests.page.made_up import made_up

LETTERS = [
    ("photographed", "maps_whitened", 1, 0.6),
    ("clean", "raw", 1, 0.5),
    ("clean", "maps_whitened", 5, 0.9),
    ("clean", "maps_whitened", 1, 0.7),
]


def test_it_says_how_often_unseen_digits_are_right():
    found = drawing.section(made_up())["drawing"]
    assert found == {"shots": 1, "accuracy": 0.75, "ways": 5, "chance": 0.2, "letters": None}
    other = drawing.section(made_up(one_shot__shots=[10, 2], mnist__unseen_digits=[5, 6, 7, 8]))["drawing"]
    assert (other["shots"], other["ways"]) == (2, 4)


def test_it_says_how_often_letters_are_right_if_that_was_measured():
    columns = ["set", "paper", "features", "shots", "accuracy"]
    rows = [("letters A-E", paper, f"siamese-2d {kind}", shots, accuracy) for paper, kind, shots, accuracy in LETTERS]
    results = made_up()
    results = dataclasses.replace(results, studies={"drawings": pd.DataFrame(rows, columns=columns)})
    assert drawing.section(results)["drawing"]["letters"] == 0.7
    assert "70.0% of letters A to E in handwriting fonts" in words(render(contents(results)))


def test_the_script_gets_all_weights_as_they_are():
    results = made_up()
    packed = drawing.section(results)["net"]
    of_maps = {"maps.mean", "maps.whitening"}
    assert packed.keys() == {name for name in results.drawing_net if name != "scale"} | of_maps
    found = {name: drawing.unpack(entry) for name, entry in packed.items()}
    for name in packed.keys() - of_maps:
        assert np.array_equal(found[name], results.drawing_net[name])
    data = results.features[drawing.NET]
    maps, seen = ({"maps": data[name][None]} for name in ("maps", "seen_maps"))
    expected = transforms.transform_features("maps_whitened", maps, seen, data["seen_labels"])
    matrix = np.zeros((576, 576), np.float32)
    matrix[np.tril_indices(576)] = found["maps.whitening"]
    whitened = (data["maps"] - found["maps.mean"]) @ matrix
    whitened /= np.linalg.norm(whitened, axis=1, keepdims=True)
    assert np.abs(whitened - expected).max() < 1e-3
