"""The learning curves, and what the page says about augmentation."""

import dataclasses

import pandas as pd
import pytest

from oneshot.nets.table import PHOTOGRAPHS
from oneshot.page.contents import contents
from oneshot.page.render import render
from oneshot.page.results import EMBEDDINGS
from oneshot.page.sections.training import section
from tests.page.elements import words
from tests.page.made_up import PARAMS, made_up

AUGMENTATION = PARAMS["convnet"]["recipe"]["augmentation"]
NONE = AUGMENTATION | {"width_shift": 0.0, "height_shift": 0.0, "flip": "none"}


def test_each_net_has_its_own_values_in_the_order_of_the_epochs():
    results = made_up()
    curves = {
        net: pd.DataFrame(
            [
                (epoch, part, metric, 100 * place + 10 * ("loss", "accuracy").index(metric) + epoch + shift)
                for epoch in (1, 2)
                for part, shift in (("training", 0.0), ("validation", 0.5))
                for metric in ("loss", "accuracy")
            ],
            columns=["epoch", "part", "metric", "value"],
        )
        for place, net in enumerate((*PHOTOGRAPHS, *EMBEDDINGS))
    }
    charts = section(dataclasses.replace(results, curves=curves))["charts"]
    assert len(charts) == 12
    for place, net in enumerate(curves):
        for shift, metric in ((0, "loss"), (10, "accuracy")):
            training, validation = charts[f"curve-{net}-{metric}"]["data"]
            start = 100 * place + shift
            assert training["y"] == [start + 1, start + 2]
            assert validation["y"] == [start + 1.5, start + 2.5]


@pytest.mark.parametrize(
    ("augmentation", "said"),
    [
        (AUGMENTATION, "Training images are augmented, validation images are not."),
        (NONE | {"flip": "alternating"}, "Training images are augmented, validation images are not."),
        (NONE | {"zoom": 0.1}, "Training images are augmented, validation images are not."),
        (NONE, "No image is augmented."),
    ],
    ids=["shift and flip", "flip", "zoom", "none"],
)
def test_the_page_says_whether_images_are_augmented(augmentation: dict, said: str):
    assert said in words(render(contents(made_up(convnet__recipe__augmentation=augmentation))))
