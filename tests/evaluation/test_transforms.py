"""The transforms of features: each equals its definition by scikit-learn, and none changes what it was given."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler, normalize

from oneshot.evaluation.transforms import METHODS, represent, whitening

RNG = np.random.default_rng(0)
UNSEEN_VIEWS = np.maximum(RNG.normal(size=(2, 30, 12)), 0) * 3
SEEN_VIEWS = np.maximum(RNG.normal(size=(2, 50, 12)) + 0.5, 0) * 3
SEEN_LABELS = np.repeat([3, 0, 1, 5, 3], 10)
UNSEEN, SEEN = UNSEEN_VIEWS[0], SEEN_VIEWS[0]


def mahalanobis(features, seen):
    """Whiten by the pooled covariance of scikit-learn."""
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.6, store_covariance=True).fit(seen, SEEN_LABELS)
    return features @ np.linalg.cholesky(np.linalg.inv(model.covariance_))


def reference(method):
    """The same by scikit-learn, written out."""
    powered_unseen, powered_seen = normalize(np.sqrt(UNSEEN)), normalize(np.sqrt(SEEN))
    scaler = StandardScaler().fit(powered_seen)
    both_unseen, both_seen = sum(UNSEEN_VIEWS) / 2, sum(SEEN_VIEWS) / 2
    return {
        "raw": UNSEEN,
        "unit": normalize(UNSEEN),
        "centred": normalize(UNSEEN - SEEN.mean(0)),
        "power": powered_unseen,
        "power_centred": normalize(powered_unseen - powered_seen.mean(0)),
        "mirror": both_unseen,
        "mirror_centred": normalize(both_unseen - both_seen.mean(0)),
        "standardised": normalize(scaler.transform(powered_unseen)),
        "whitened": normalize(mahalanobis(UNSEEN - SEEN.mean(0), SEEN)),
        "mirror_whitened": normalize(mahalanobis(both_unseen - both_seen.mean(0), both_seen)),
    }[method]


@pytest.mark.parametrize("method", METHODS)
def test_each_method_equals_its_reference(method):
    np.testing.assert_allclose(represent(method, UNSEEN_VIEWS, SEEN_VIEWS, SEEN_LABELS), reference(method), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_stays_and_inputs_are_not_changed(method):
    unseen, seen = UNSEEN_VIEWS.astype(np.float32), SEEN_VIEWS.astype(np.float32)
    result = represent(method, unseen, seen, SEEN_LABELS)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, represent(method, UNSEEN_VIEWS, SEEN_VIEWS, SEEN_LABELS), atol=1e-5)
    np.testing.assert_array_equal(unseen, UNSEEN_VIEWS.astype(np.float32))
    np.testing.assert_array_equal(seen, SEEN_VIEWS.astype(np.float32))


@pytest.mark.parametrize("method", METHODS)
def test_images_and_units_without_any_signal_stay_finite(method):
    unseen, seen = UNSEEN_VIEWS.copy(), SEEN_VIEWS.copy()
    unseen[:, 3], seen[:, 7] = 0, 0
    unseen[:, :, 5], seen[:, :, 5] = 0, 0
    assert np.isfinite(represent(method, unseen, seen, SEEN_LABELS)).all()


@pytest.mark.parametrize("method", METHODS)
def test_no_method_looks_at_other_unseen_images(method):
    np.testing.assert_allclose(
        represent(method, UNSEEN_VIEWS[:, :4], SEEN_VIEWS, SEEN_LABELS),
        represent(method, UNSEEN_VIEWS, SEEN_VIEWS, SEEN_LABELS)[:4],
        atol=1e-12,
    )


def test_whitened_features_vary_equally_within_classes():
    groups = [SEEN[label == SEEN_LABELS] for label in (0, 1, 3, 5)]
    around = np.concatenate([group - group.mean(0) for group in groups])
    white = around @ whitening(SEEN, SEEN_LABELS, 0.0)
    np.testing.assert_allclose(white.T @ white / len(white), np.eye(12), atol=1e-12)


def test_features_that_are_constant_within_each_class_are_not_changed():
    np.testing.assert_allclose(whitening(np.eye(6)[SEEN_LABELS], SEEN_LABELS, 0.6), np.eye(6) / np.sqrt(0.6))


def test_the_power_transform_keeps_signs_and_order():
    values = np.linspace(-2, 2, 9)[:, None] * np.ones(2)
    powered = represent("power", np.hstack([values, np.ones((9, 1))])[None], SEEN_VIEWS[:, :, :3], SEEN_LABELS)
    assert (np.sign(powered[:, 0]) == np.sign(values[:, 0])).all()
    assert (np.diff(powered[:, 0] / powered[:, 2]) > 0).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(KeyError):
        represent("cosine", UNSEEN_VIEWS, SEEN_VIEWS, SEEN_LABELS)
