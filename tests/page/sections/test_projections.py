"""Projections, whose points come from a table and whose images from the data set."""

import dataclasses

import pytest

from oneshot.page.sections.projections import section
from tests.page.made_up import made_up


def test_each_part_of_the_table_is_a_chart_under_its_own_title():
    found = section(made_up())
    assert [one["title"] for one in found["projections"]] == ["PCA (8% and 5%)", "t-SNE"]
    for one in found["projections"]:
        xs = [x for trace in found["charts"][one["key"]]["data"] for x in trace["x"]]
        assert sorted(xs) == list(range(24))


def test_points_of_other_images_are_refused():
    results = made_up()
    table = results.scatter["one_shot_cifar10"]
    other = table.assign(label=table["label"].to_numpy()[::-1])
    moved = dataclasses.replace(results, scatter=results.scatter | {"one_shot_cifar10": other})
    with pytest.raises(ValueError, match=r"the rows of PCA .* are not those of the pictured images"):
        section(moved)
