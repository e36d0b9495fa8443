"""The tools that train siamese nets apart from the pipeline: folds, gains, and recipes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oneshot.core import params
from tools import ceilings, probe_digits
from tools.digit_nets import Params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings() -> Params:
    return params.load(Params, ROOT)


def test_every_digit_is_held_out_in_two_folds():
    assert probe_digits.folds([0, 1, 2, 3, 4]) == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]]


def test_every_probed_recipe_is_valid_and_the_default_is_that_of_the_parameters(settings: Params):
    assert settings.recipe() == settings.recipe(**probe_digits.ARMS["default"])
    assert settings.recipe().margin == settings.margin
    for changes in probe_digits.ARMS.values():
        settings.recipe(**probe_digits.SHORT | changes)


def test_perfect_embeddings_score_one():
    labels = np.repeat(np.arange(5), 20)
    points = np.stack([labels, labels**2], axis=1) + np.linspace(0, 0.1, 100)[:, None]
    assert probe_digits.score(points, labels, [0, 1], [0, 1, 2, 3, 4]) == {"two_way": 1, "five_way": 1, "auc": 1}


def test_gains_are_paired_by_fold_seed_and_dimensions():
    rows = [
        {"arm": arm, "dimensions": 2, "held_out": fold, "seed": 1, "two_way": level + gain, "five_way": 0.5, "auc": 0.5}
        for arm, gain in (("default", 0.0), ("other", 0.1))
        for fold, level in (("0-1", 0.3), ("1-2", 0.8))
    ]
    default, other = probe_digits.gains(pd.DataFrame(rows)).to_dict("records")
    assert (default["two_way_gain"], default["two_way_error"]) == (0, 0)
    assert (other["two_way"], other["two_way_gain"]) == (pytest.approx(0.65), pytest.approx(0.1))
    assert other["two_way_error"] == pytest.approx(0)


def test_a_row_per_number_of_shots(settings: Params):
    few = settings.model_copy(update={"one_shot": settings.one_shot.model_copy(update={"episodes": 20})})
    labels = np.repeat(settings.mnist.unseen_digits, 20)
    found = ceilings.rows("a net", 3, np.stack([labels, labels**2], axis=1).astype(np.float32), labels, few)
    assert found == [{"net": "a net", "shots": shots, "seed": 3, "accuracy": 1.0} for shots in settings.one_shot.shots]
