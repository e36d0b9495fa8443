"""The most confused pairs of images."""

import numpy as np
import pytest

from oneshot.page.sections import pairs
from oneshot.page.sections.pairs import nearest_pairs, section
from tests.page.made_up import made_up


@pytest.mark.parametrize("rows_at_a_time", [1, 7, 1000])
def test_nearest_pairs_are_those_of_a_plain_loop(monkeypatch, rows_at_a_time):
    monkeypatch.setattr(pairs, "_BLOCK_BYTES", rows_at_a_time * 30 * 8)
    rng = np.random.default_rng(1)
    features, labels = rng.normal(size=(30, 4)), rng.integers(3, size=30)
    every = sorted(
        (float(np.linalg.norm(features[a] - features[b]).round(6)), a, b)
        for a in range(30)
        for b in range(a + 1, 30)
        if labels[a] != labels[b]
    )
    expected, used = [], set()
    for distance, a, b in every:
        if not used & {a, b}:
            expected.append((a, b, distance))
            used |= {a, b}
    assert nearest_pairs(features, labels, 4) == expected[:4]


def test_a_pair_is_of_two_unseen_classes():
    found = section(made_up())["pairs"]
    assert len(found) == 12
    for pair in found:
        assert len(set(pair["labels"])) == 2 and set(pair["labels"]) <= {6, 7, 8, 9}
