"""Random splits of the classes, and the table of their spread."""

import class_splits
import numpy as np
import pandas as pd


def test_splits_have_all_classes_once_and_the_first_is_the_given_one():
    given = class_splits.split_of(0, [0, 1, 2, 3, 4, 5], [6, 7, 8, 9])
    assert given == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])
    drawn = [class_splits.split_of(number, [0, 1, 2, 3, 4, 5], [6, 7, 8, 9]) for number in range(1, 9)]
    assert all(sorted(seen + unseen) == list(range(10)) for seen, unseen in drawn)
    assert len({str(seen) for seen, _ in drawn}) > 4


def test_the_given_split_is_ranked_among_the_random_ones():
    values = pd.DataFrame(
        {"split": [0, 1, 2, 3], "data": "MNIST", "method": "raw", "shots": 1, "accuracy": [0.6, 0.5, 0.7, 0.3]}
    )
    (row,) = class_splits.compare(values).to_dict("records")
    assert (row["given"], row["rank"], row["splits"]) == (0.6, 2, 3)
    np.testing.assert_allclose([row["mean"], row["deviation"]], [0.5, 0.2])
