import numpy as np
import pytest

from oneshot.projections import pca, tsne


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(2, 30))[np.repeat([0, 1], 40)] * 4 + rng.normal(size=(80, 30))).astype(np.float32)


def test_pca_keeps_the_greatest_variance(features):
    points, shares = pca(features)
    centred = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    singular = np.linalg.svd(centred, compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(points, axis=0), singular[:2])
    np.testing.assert_allclose(shares, singular[:2] ** 2 / (singular**2).sum())


def test_pca_twice_is_the_same_bytes(features):
    assert pca(features)[0].tobytes() == pca(features)[0].tobytes()


def test_tsne_twice_is_the_same_bytes_and_keeps_groups_apart(features):
    points = tsne(features, perplexity=10, seed=2**40 + 1)
    assert points.shape == (80, 2)
    assert points.tobytes() == tsne(features, perplexity=10, seed=2**40 + 1).tobytes()
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(1) // 40 == np.arange(80) // 40).all()
