"""Samples of each class."""

from oneshot.page.sections.samples import section
from tests.page.made_up import made_up


def test_each_class_says_what_it_is_used_for():
    results = made_up(cifar10__seen_classes=[0, 1], cifar10__unseen_classes=[9, 4], mnist__unseen_digits=[7, 8])
    classes, digits = section(results)["samples"]
    used = {row["name"]: row["part"] for row in classes["rows"]}
    assert [name for name, part in used.items() if part == "seen"] == ["airplane", "automobile"]
    assert [name for name, part in used.items() if part == "unseen"] == ["deer", "truck"]
    assert [row["part"] for row in digits["rows"]] == 5 * ["seen"] + 2 * ["not used"] + 2 * ["unseen"] + ["not used"]
