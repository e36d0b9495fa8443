"""scikit-learn's own checks of estimators, as far as they apply to images.

They feed rows of numbers. Here a row stands for an image that is its own representation: what remains untested by them
is the reading of images alone.
"""

import numpy as np
import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from oneshot.evaluation.calibration import Temperature
from oneshot.use import representation
from oneshot.use.classifier import OneShotClassifier


class OfRows(OneShotClassifier):
    """The classifier of rows of numbers."""

    representation_ = representation.Representation(
        "rows", "raw", lambda row: row, np.stack, temperature=Temperature(1, 1)
    )

    def _represent(self, X, *, fitting, broken=None):
        return validate_data(self, X, dtype=np.float64, reset=fitting)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array, tags.input_tags.string = True, False, False
        return tags


@parametrize_with_checks([OfRows()])
def test_all_checks_on_rows_of_numbers(estimator, check):
    check(estimator)


WITHOUT_DATA = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
)


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_checks_without_data_on_the_classifier_of_images(name):
    getattr(estimator_checks, name)("OneShotClassifier", OneShotClassifier())
