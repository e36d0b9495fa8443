"""Classification in integers: the nearest example, ties, and the cost of rounding."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oneshot.evaluation.confusion import confusion_matrix
from oneshot.evaluation.episodes import classify_episodes
from oneshot.page.nearest import classify, quantize


def test_nearest_example_by_a_plain_loop():
    rng = np.random.default_rng(0)
    codes = rng.integers(256, size=(40, 7), dtype=np.uint8)
    supports = [3, 11, 30]
    found = classify(codes, supports)
    for position, code in enumerate(codes.astype(int)):
        distances = [sum((a - b) ** 2 for a, b in zip(code, codes[s].astype(int), strict=True)) for s in supports]
        assert found[position] == (-1 if position in supports else distances.index(min(distances)))


def test_the_first_of_equally_near_examples_is_taken():
    assert classify(np.array([[0], [4], [2]], np.uint8), [1, 0]).tolist() == [-1, -1, 0]


def test_greatest_numbers_do_not_overflow():
    codes = np.array([[255] * 600, [0] * 600, [254] * 600], np.uint8)
    assert classify(codes, [0, 1]).tolist() == [-1, -1, 0]


def test_the_same_predictions_as_the_episodes_of_the_stages():
    rng = np.random.default_rng(2)
    codes, labels = rng.integers(256, size=(60, 20), dtype=np.uint8), np.repeat(np.arange(3), 20)
    supports = np.array([4, 25, 59])
    found = classify(codes, supports)
    queries = found >= 0
    expected = classify_episodes(codes.astype(float), labels, range(3), supports[None, :, None])[0]
    assert (confusion_matrix(labels[queries], found[queries], 3) == expected).all()


@given(values=st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=20))
def test_rounding_is_by_one_scale_and_half_a_step_at_most(values):
    vectors = np.array(values)[:, None]
    codes = quantize(vectors)
    assert codes.dtype == np.uint8
    span = vectors.max() - vectors.min()
    back = codes / 255 * span + vectors.min()
    assert np.abs(back - vectors).max() <= span / 255 / 2 + 1e-6
