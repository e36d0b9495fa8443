"""The chart of the trainings by other recipes."""

from oneshot.page.sections.report_recipe import section
from tests.page.made_up import made_up


def test_every_epoch_is_drawn_over_its_minutes():
    ours, report = section(made_up())["charts"]["report-recipe"]["data"]
    assert (ours["name"], report["name"]) == ("our recipe", "recipe of the report")
    assert (ours["x"], ours["y"]) == ([10.0, 20.0], [0.6, 0.8])
    assert (report["x"], report["y"]) == ([15.0], [0.4])
