"""The tools that train siamese nets apart from the pipeline: recipes and rows."""

from pathlib import Path

import numpy as np
import pytest

from oneshot.core import params
from tools import ceilings
from tools.digit_nets import Params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings() -> Params:
    return params.load(Params, ROOT)


def test_the_recipe_is_that_of_the_parameters(settings: Params):
    assert settings.recipe().model_dump() == settings.siamese.model_dump() | {"margin": settings.margin}


def test_views_are_shifted_to_all_sides_with_zeros_behind_them():
    images = np.random.default_rng(0).random((4, 28, 28, 1)).astype(np.float32) + 1
    views = []
    mean = ceilings.mean_over_views(lambda view: views.append(view) or view.reshape(4, -1), images)
    assert len(views) == 9 and any(np.array_equal(view, images) for view in views)
    np.testing.assert_allclose(mean, np.mean([view.reshape(4, -1) for view in views], axis=0))
    down = next(view for view in views if np.array_equal(view[:, 2:], images[:, :-2]))
    assert not down[:, :2].any()
    assert len({view.tobytes() for view in views}) == 9


def test_a_row_per_number_of_shots(settings: Params):
    few = settings.model_copy(update={"one_shot": settings.one_shot.model_copy(update={"episodes": 20})})
    labels = np.repeat(settings.mnist.unseen_digits, 20)
    found = ceilings.rows("a net", 3, np.stack([labels, labels**2], axis=1).astype(np.float32), labels, few)
    assert found == [{"net": "a net", "shots": shots, "seed": 3, "accuracy": 1.0} for shots in settings.one_shot.shots]
