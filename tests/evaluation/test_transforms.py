"""The transforms of features: each equals its definition by scikit-learn, and none changes what it was given."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.utils.estimator_checks import parametrize_with_checks

from oneshot.evaluation.methods import DIGIT_METHODS, METHODS, TRANSFORMS
from oneshot.evaluation.transforms import SHRINKAGE, FeatureTransform, layers_of, transform_features, whitening_matrix

RNG = np.random.default_rng(0)
SIZES = {"units": 12, "linear": 12, "pooled": 7, "maps": 9}
ALL = sorted(METHODS | DIGIT_METHODS)


def drawn(count: int, offset: float):
    """Features of each layer: (2, count, d), only those of "linear" with negative values."""
    layers = {name: 3 * (RNG.normal(size=(2, count, size)) + offset) for name, size in SIZES.items()}
    return {name: array if name == "linear" else np.maximum(array, 0) for name, array in layers.items()}


UNSEEN, SEEN = drawn(30, 0.0), drawn(50, 0.5)
SEEN_LABELS = np.repeat([3, 0, 1, 5, 3], 10)


def mahalanobis(unseen, seen):
    """Whiten by the pooled covariance of scikit-learn."""
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE).fit(seen, SEEN_LABELS)
    return normalize((unseen - seen.mean(0)) @ np.linalg.cholesky(np.linalg.inv(model.covariance_)))


def reference(method):
    """The same by scikit-learn, written out."""
    (units, linear, pooled, maps), (seen_units, seen_linear, seen_pooled, seen_maps) = (
        [array.mean(0) if method.startswith("flip") else array[0] for array in layers.values()]
        for layers in (UNSEEN, SEEN)
    )
    powered, seen_powered = normalize(np.sqrt(units)), normalize(np.sqrt(seen_units))
    return {
        "raw": units,
        "unit": normalize(units),
        "cl2n": normalize(units - seen_units.mean(0)),
        "power": powered,
        "power_centred": normalize(powered - seen_powered.mean(0)),
        "standardised": normalize(StandardScaler().fit(seen_powered).transform(powered)),
        "whitened": mahalanobis(units, seen_units),
        "prerelu_whitened": mahalanobis(linear, seen_linear),
        "gap_cl2n": normalize(pooled - seen_pooled.mean(0)),
        "gap_whitened": mahalanobis(pooled, seen_pooled),
        "maps_whitened": mahalanobis(maps, seen_maps),
        "prerelu_gap_whitened": np.hstack([mahalanobis(linear, seen_linear), mahalanobis(pooled, seen_pooled)])
        / np.sqrt(2),
    }[method.removeprefix("flip_").replace("flip", "raw")]


@pytest.mark.parametrize("method", ALL)
def test_each_method_equals_its_reference(method):
    np.testing.assert_allclose(transform_features(method, UNSEEN, SEEN, SEEN_LABELS), reference(method), atol=1e-12)


@pytest.mark.parametrize("method", ALL)
def test_single_precision_stays_and_inputs_are_not_changed(method):
    unseen, seen = ({name: array.astype(np.float32) for name, array in layers.items()} for layers in (UNSEEN, SEEN))
    result = transform_features(method, unseen, seen, SEEN_LABELS)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, transform_features(method, UNSEEN, SEEN, SEEN_LABELS), atol=1e-4)
    for name in SIZES:
        np.testing.assert_array_equal(unseen[name], UNSEEN[name].astype(np.float32))
        np.testing.assert_array_equal(seen[name], SEEN[name].astype(np.float32))


@pytest.mark.parametrize("method", ALL)
def test_images_and_units_without_any_signal_stay_finite(method):
    unseen, seen = ({name: array.copy() for name, array in layers.items()} for layers in (UNSEEN, SEEN))
    for name in SIZES:
        unseen[name][:, 3], seen[name][:, 7] = 0, 0
        unseen[name][:, :, 5], seen[name][:, :, 5] = 0, 0
    assert np.isfinite(transform_features(method, unseen, seen, SEEN_LABELS)).all()


@pytest.mark.parametrize("method", ALL)
def test_no_method_looks_at_other_unseen_images(method):
    fewer = {name: array[:, :4] for name, array in UNSEEN.items()}
    expected = transform_features(method, UNSEEN, SEEN, SEEN_LABELS)[:4]
    np.testing.assert_allclose(transform_features(method, fewer, SEEN, SEEN_LABELS), expected, atol=1e-12)


def test_stored_features_become_layers():
    arrays = {"linear": [[-1, 2], [3, -4]], "linear_mirrored": [[5, -6], [7, 8]], "pooled": [[1], [2]]}
    arrays = {name: np.array(rows, np.float32) for name, rows in {**arrays, "pooled_mirrored": [[3], [4]]}.items()}
    layers = layers_of(arrays, np.array([False, True]))
    assert layers["units"].tolist() == [[[3, 0]], [[7, 8]]]
    assert layers["linear"].tolist() == [[[3, -4]], [[7, 8]]]
    assert layers["pooled"].tolist() == [[[2]], [[4]]]


def test_whitened_features_vary_equally_within_classes():
    seen = SEEN["linear"][0]
    groups = [seen[label == SEEN_LABELS] for label in (0, 1, 3, 5)]
    around = np.concatenate([group - group.mean(0) for group in groups])
    white = around @ whitening_matrix(seen, SEEN_LABELS, 0.0)
    np.testing.assert_allclose(white.T @ white / len(white), np.eye(12), atol=1e-9)


def test_features_that_are_constant_within_each_class_are_not_changed():
    np.testing.assert_allclose(whitening_matrix(np.eye(6)[SEEN_LABELS], SEEN_LABELS, 0.6), np.eye(6))


def test_the_power_transform_keeps_signs_and_order():
    values = np.linspace(-2, 2, 9)[:, None] * np.ones(2)
    unseen = {"units": np.hstack([values, np.ones((9, 1))])[None]}
    powered = transform_features("power", unseen, {"units": SEEN["units"][:, :, :3]}, SEEN_LABELS)
    assert (np.sign(powered[:, 0]) == np.sign(values[:, 0])).all()
    assert (np.diff(powered[:, 0] / powered[:, 2]) > 0).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(KeyError):
        transform_features("cosine", UNSEEN, SEEN, SEEN_LABELS)


@parametrize_with_checks([FeatureTransform(name) for name in TRANSFORMS])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("method", TRANSFORMS)
def test_rows_of_features_are_transformed_as_the_stages_do(method):
    unseen, seen = UNSEEN["units"][0], SEEN["units"][0]
    found = FeatureTransform(method).fit(seen, SEEN_LABELS.astype(str)).transform(unseen)
    np.testing.assert_array_equal(found, transform_features(method, UNSEEN, SEEN, SEEN_LABELS))


def test_features_that_are_not_finite_are_refused():
    for value in (np.nan, np.inf):
        broken = SEEN["units"][0].copy()
        broken[3, 4] = value
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            FeatureTransform("cl2n").fit(broken)
