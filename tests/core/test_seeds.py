"""Randomness as a function: every purpose and place has its own numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oneshot.core import seeds

places = st.lists(st.integers(0, 2**40), max_size=3)


@given(st.integers(0, 2**62), st.text(max_size=20), places)
def test_the_same_question_has_the_same_answer(seed, purpose, place):
    assert seeds.derive(seed, purpose, *place) == seeds.derive(seed, purpose, *place)
    assert 0 <= seeds.derive(seed, purpose, *place) < 2**63


def test_purposes_places_and_seeds_do_not_share_numbers():
    questions = [
        (seed, purpose, *place)
        for seed in range(20)
        for purpose in ("order", "augmentation", "pairs")
        for place in [(), *((epoch,) for epoch in range(20)), *((1, step) for step in range(20))]
    ]
    assert len({seeds.derive(*question) for question in questions}) == len(questions)


def test_stored_results_hold_only_while_these_stay():
    """Any change here changes every result: then all stages have to be rerun."""
    assert seeds.derive(1, "order", 0) == 433034383059858670
    assert seeds.pair(1, "dropout", 2, 0).dtype == np.int32
    assert seeds.generator(1, "pairs", 3).integers(1000) == seeds.generator(1, "pairs", 3).integers(1000)
