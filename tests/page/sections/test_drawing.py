"""The section to draw in: the accuracy that it states, and the weights that its script computes with."""

import numpy as np

from oneshot.evaluation import transforms
from oneshot.page.sections import drawing
from tests.page.made_up import made_up


def test_it_says_how_often_unseen_digits_are_right():
    assert drawing.section(made_up())["drawing"] == {"shots": 1, "accuracy": 0.75, "ways": 5, "chance": 0.2}
    other = drawing.section(made_up(one_shot__shots=[10, 2], mnist__unseen_digits=[5, 6, 7, 8]))["drawing"]
    assert (other["shots"], other["ways"]) == (2, 4)


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
