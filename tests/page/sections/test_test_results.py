"""The ConvNets' test results compared with the report's."""

import pytest

from oneshot.page.sections.test_results import section
from tests.page.elements import markup
from tests.page.made_up import made_up


def test_each_value_stands_beside_the_reports(page: bytes):
    ten, six = (row for row in section(made_up())["tests"] if row["report"] is not None and "loss" not in row["name"])
    assert ten == {
        "name": "ConvNet, 10 classes: accuracy",
        "report": 0.87,
        "here": 0.9,
        "interval": None,
        "difference": pytest.approx(0.03),
    }
    assert six["report"] == 0.89
    assert "<td>0.870</td><td>0.900</td><td>+0.030</td>" in markup(page)


@pytest.mark.parametrize(("seen", "comparable"), [([5, 4, 3, 2, 1, 0], True), ([0, 1, 2, 3, 4], False)])
def test_only_the_reports_classes_are_compared_with_the_report(seen: list[int], comparable: bool):
    rows = section(made_up(cifar10__seen_classes=seen))["tests"]
    name = f"ConvNet, {len(seen)} classes"
    few = [row for row in rows if row["name"] in (f"{name}: accuracy", f"{name}: loss")]
    assert len(few) == 2
    for row in few:
        assert (row["report"] is not None) == (row["difference"] is not None) == comparable
