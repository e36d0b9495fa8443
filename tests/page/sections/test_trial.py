"""The numbers that the page's script computes with."""

import numpy as np
import pytest

from oneshot.evaluation import transforms
from oneshot.evaluation.episodes import choose_images
from oneshot.page.nearest import quantize
from oneshot.page.render import data_of
from oneshot.page.sections.trial import unpack
from tests.page.made_up import made_up


@pytest.fixture(scope="module")
def data(page: bytes) -> dict:
    return data_of(page)


def test_numbers_to_try_are_those_of_the_features(data: dict):
    results = made_up()
    sets = {packed["key"]: packed for packed in data["sets"]}
    assert list(sets) == ["cifar10", "mnist"]
    digits = results.features["siamese-2d"]
    maps, seen = ({"maps": digits[name][None]} for name in ("maps", "seen_maps"))
    whitened = transforms.transform_features("maps_whitened", maps, seen, digits["seen_labels"])
    convnet = results.features["6-class"]
    for key, labels, vectors, classes in (
        ("cifar10", convnet["labels"], convnet["embeddings"], [6, 7, 8, 9]),
        ("mnist", digits["labels"], whitened, [5, 6, 7, 8, 9]),
    ):
        packed, few = sets[key], np.isin(labels, classes)
        features, labels = vectors[few], labels[few]
        chosen = choose_images(labels, classes, 6, 1, "pictures")
        assert unpack(packed).tolist() == quantize(features[chosen]).tolist()
        assert [packed["classes"][place]["label"] for place in packed["labels"]] == labels[chosen].tolist()
        for place, choices in enumerate(packed["choices"]):
            assert {packed["labels"][position] for position in choices} == {place}


def test_a_point_shows_the_image_that_it_stands_for(data: dict):
    """The digits' sheet holds the pictured images, seen digits first; `tiles` and customdata are positions in it."""
    chart = data["charts"]["siamese-2d-unseen"]
    places = [place for trace in chart["data"] for place in trace["customdata"]]
    assert sorted(places) == list(range(30, 60))
    assert sorted(data["sets"][1]["tiles"]) == list(range(30, 60))


def test_the_titles_count_the_classes(data: dict):
    assert [packed["name"] for packed in data["sets"]] == [
        "CIFAR-10: 4 classes that the net never saw",
        "MNIST: 5 digits that the net never saw",
    ]
