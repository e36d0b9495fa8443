"""The margin: what trainings with other seeds differ by stands beside it."""

import dataclasses

import pandas as pd

from oneshot.page.sections.margin import section
from tests.page.made_up import made_up


def test_the_deviation_over_seeds_is_that_of_the_metric_and_nothing_without_it():
    results = made_up()
    seeds = pd.DataFrame({"seed": [1, 2], "siamese-2d, unseen digits, 1-shot": [0.5, 0.6]})
    found = section(dataclasses.replace(results, studies=results.studies | {"seeds": seeds}))
    assert found["margin_noise"] == ["0.071 (siamese-2d)"]
    alone = section(dataclasses.replace(results, studies=results.studies | {"seeds": seeds[:1]}))
    assert alone["margin_noise"] == []
