import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler, normalize

from oneshot.representations import METHODS, represent

RNG = np.random.default_rng(0)
NOVEL_VIEWS = np.maximum(RNG.normal(size=(2, 30, 12)), 0) * 3
BASE_VIEWS = np.maximum(RNG.normal(size=(2, 50, 12)) + 0.5, 0) * 3
NOVEL, BASE = NOVEL_VIEWS[0], BASE_VIEWS[0]


def reference(method):
    """The same by scikit-learn, written out."""
    powered_novel, powered_base = normalize(np.sqrt(NOVEL)), normalize(np.sqrt(BASE))
    scaler = StandardScaler().fit(powered_base)
    both_novel, both_base = sum(NOVEL_VIEWS) / 2, sum(BASE_VIEWS) / 2
    return {
        "raw": NOVEL,
        "unit": normalize(NOVEL),
        "centred": normalize(NOVEL - BASE.mean(0)),
        "power": powered_novel,
        "power_centred": normalize(powered_novel - powered_base.mean(0)),
        "mirror": both_novel,
        "mirror_centred": normalize(both_novel - both_base.mean(0)),
        "standardised": normalize(scaler.transform(powered_novel)),
        "transductive": normalize(powered_novel - powered_novel.mean(0)),
    }[method]


@pytest.mark.parametrize("method", METHODS)
def test_each_method_equals_its_reference(method):
    np.testing.assert_allclose(represent(method, NOVEL_VIEWS, BASE_VIEWS), reference(method), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_stays_and_inputs_are_not_changed(method):
    novel, base = NOVEL_VIEWS.astype(np.float32), BASE_VIEWS.astype(np.float32)
    result = represent(method, novel, base)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, represent(method, NOVEL_VIEWS, BASE_VIEWS), atol=1e-5)
    np.testing.assert_array_equal(novel, NOVEL_VIEWS.astype(np.float32))
    np.testing.assert_array_equal(base, BASE_VIEWS.astype(np.float32))


@pytest.mark.parametrize("method", METHODS)
def test_images_and_units_without_any_signal_stay_finite(method):
    novel, base = NOVEL_VIEWS.copy(), BASE_VIEWS.copy()
    novel[:, 3], base[:, 7] = 0, 0
    novel[:, :, 5], base[:, :, 5] = 0, 0
    assert np.isfinite(represent(method, novel, base)).all()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "transductive"])
def test_only_the_transductive_method_looks_at_other_novel_images(method):
    np.testing.assert_allclose(
        represent(method, NOVEL_VIEWS[:, :4], BASE_VIEWS), represent(method, NOVEL_VIEWS, BASE_VIEWS)[:4], atol=1e-12
    )


@given(exponent=st.floats(0.1, 1))
def test_the_power_transform_keeps_signs_and_order(exponent):
    values = np.linspace(-2, 2, 9)[:, None] * np.ones(2)
    powered = represent("power", np.hstack([values, np.ones((9, 1))])[None], BASE_VIEWS[:, :, :3], exponent)
    assert (np.sign(powered[:, 0]) == np.sign(values[:, 0])).all()
    assert (np.diff(powered[:, 0] / powered[:, 2]) > 0).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(KeyError):
        represent("cosine", NOVEL_VIEWS, BASE_VIEWS)
