"""The digit nets' tables."""

import dataclasses

import numpy as np
import pytest

from oneshot.evaluation.confusion import to_table
from oneshot.page.sections.digits import section
from tests.page.made_up import made_up


def confused_with(counts: dict[tuple[int, int], int], digits: list[int], **params) -> dict:
    """The page's row of confused digits, for a table with these errors: {(true, predicted): count}."""
    matrix = 100 * np.eye(len(digits), dtype=int)
    for (true, predicted), count in counts.items():
        matrix[digits.index(true), digits.index(predicted)] = count
    results = made_up(**params)
    table = to_table(matrix, [str(digit) for digit in digits]).assign(part="all", shots=2)
    # As pandas reads names that are digits back from a file.
    table = table.astype({"true_class": int, "predicted_class": int})
    changed = dataclasses.replace(results, confusion=dict.fromkeys(results.confusion, table))
    return section(changed)["confused_digits"][0]


def test_confused_digits_are_counted_both_ways_as_a_share_of_all_errors():
    row = confused_with({(4, 9): 5, (9, 4): 3, (3, 5): 6, (1, 7): 1, (0, 2): 5}, list(range(10)))
    assert row["main"] == [{"pair": "4 with 9", "share": 8 / 20}, {"pair": "3 with 5", "share": 6 / 20}]
    assert row["report"] == [8 / 20, 1 / 20]
    assert row["shots"] == 2


def test_a_pair_of_the_reports_that_is_not_there_has_no_share():
    digits = [1, 4, 7, 8]
    params = {"mnist__seen_digits": [1, 4], "mnist__unseen_digits": [7, 8]}
    assert confused_with({(1, 7): 3, (4, 8): 1}, digits, **params)["report"] == [None, 3 / 4]


def test_without_errors_no_share_is_a_division_by_zero():
    row = confused_with({}, list(range(10)))
    assert [one["share"] for one in row["main"]] == [0, 0] and row["report"] == [0, 0]


@pytest.mark.parametrize("shots", [[1, 5], [10, 2]])
def test_few_shot_rows_stand_by_the_number_of_shots(shots: list[int]):
    rows = section(made_up(one_shot__shots=shots))["one_shot_digits"]
    assert [row["shots"] for row in rows] == 4 * sorted(shots)
    values = [[row[column] for column in ("seen", "all", "unseen", "maps")] for row in rows]
    assert values == 4 * [[0.6, 0.4, 0.5, 0.75]] + 4 * [[0.6, 0.4, 0.5, None]]
