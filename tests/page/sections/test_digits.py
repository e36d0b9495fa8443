"""The digit nets' tables."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from oneshot.evaluation.confusion import to_table
from oneshot.page.sections.digits import confused_digits, confused_table, section
from tests.page.made_up import made_up


def confused_with(counts: dict[tuple[int, int], int], digits: list[int]) -> pd.DataFrame:
    """A table of confusions with these errors: {(true, predicted): count}."""
    matrix = 100 * np.eye(len(digits), dtype=int)
    for (true, predicted), count in counts.items():
        matrix[digits.index(true), digits.index(predicted)] = count
    table = to_table(matrix, [str(digit) for digit in digits]).assign(part="all", shots=2)
    # As pandas reads names that are digits back from a file.
    return table.astype({"true_class": int, "predicted_class": int})


def test_confused_digits_are_counted_both_ways_as_a_share_of_all_errors():
    table = confused_with({(4, 9): 5, (9, 4): 3, (3, 5): 6, (1, 7): 1, (0, 2): 5}, list(range(10)))
    main, report = confused_digits(table)
    assert main == [("4 with 9", 8 / 20), ("3 with 5", 6 / 20)]
    assert report == {"4 with 9": 8 / 20, "1 with 7": 1 / 20}
    results = made_up()
    shown = section(dataclasses.replace(results, confusion=dict.fromkeys(results.confusion, table)))
    assert shown["confused_shots"] == 2
    header, rows = shown["tables"]["confused_digits"]
    assert header == ("net", "first", "second", "4 with 9", "1 with 7")
    assert rows[0] == ("siamese net, 2-D", "4 with 9 (40%)", "3 with 5 (30%)", "40%", "5%")


def test_a_pair_of_the_reports_that_is_not_there_has_no_share():
    table = confused_with({(1, 7): 3, (4, 8): 1}, [1, 4, 7, 8])
    assert confused_digits(table)[1] == {"4 with 9": None, "1 with 7": 3 / 4}
    assert confused_table({"net": table}).rows[0][3:] == (None, "75%")


def test_without_errors_no_share_is_a_division_by_zero():
    main, report = confused_digits(confused_with({}, list(range(10))))
    assert [share for _, share in main] == [0, 0] and list(report.values()) == [0, 0]


@pytest.mark.parametrize("shots", [[1, 5], [10, 2]])
def test_few_shot_rows_stand_by_the_number_of_shots(shots: list[int]):
    header, rows = section(made_up(one_shot__shots=shots))["tables"]["one_shot_digits"]
    assert header[2:5] == ("seen digits", "all digits", "unseen digits")
    assert [row[1] for row in rows] == 4 * sorted(shots)
    values = ("0.600", "0.400", "0.500")
    assert [row[2:] for row in rows] == 4 * [(*values, "0.750")] + 4 * [(*values, None)]
