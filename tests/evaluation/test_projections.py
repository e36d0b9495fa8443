"""Projections: PCA by its definition, t-SNE that keeps groups apart, the same bytes each time; and their tables."""

import numpy as np
import pytest

from oneshot.evaluation.episodes import require_features
from oneshot.evaluation.projections import pca, point_table, projections, tsne

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


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


@pytest.mark.parametrize(("scale", "offset"), [(2e-15, 0), (1e-6, 0), (1e14, 0), (1e-4, 50)])
def test_tsne_survives_whatever_passes_the_check_of_features(scale, offset):
    few = np.zeros((15, 12), np.float32)
    few[0, 0] = 1
    for features in (few, np.random.default_rng(0).normal(size=(15, 12))):
        features = (features * scale + offset).astype(np.float32)
        require_features(features, "6-class")
        assert np.isfinite(tsne(features, perplexity=5, seed=1)).all()


def test_points_have_a_part_a_label_and_a_class():
    table = point_table(np.array([[1.0, 2.0]]), np.array([8], np.uint8), NAMES, "unseen")
    assert table.to_dict("list") == {"part": ["unseen"], "x": [1.0], "y": [2.0], "label": [8], "class": ["ship"]}
    assert table.columns.tolist() == ["part", "x", "y", "label", "class"]


def test_points_in_3_dimensions_have_a_z():
    table = point_table(np.arange(6.0).reshape(2, 3), np.array([5, 0]), [str(digit) for digit in range(10)], "seen")
    assert table.columns.tolist() == ["part", "x", "y", "z", "label", "class"]
    assert table["z"].tolist() == [2, 5] and table["class"].tolist() == ["5", "0"]


def test_the_table_of_both_projections_names_them_and_the_variance_kept(features):
    labels = np.repeat([6, 9], 40).astype(np.uint8)
    table = projections(features, labels, NAMES, perplexity=10, seed=3)
    points, shares = pca(features)
    title = f"PCA ({100 * shares[0]:.0f}% and {100 * shares[1]:.0f}% of the variance)"
    assert table["part"].tolist() == [title] * 80 + ["t-SNE"] * 80
    expected = np.concatenate([points, tsne(features, 10, 3)])
    np.testing.assert_array_equal(table[["x", "y"]].to_numpy(), expected)
    assert table["class"].tolist() == (["frog"] * 40 + ["truck"] * 40) * 2
    assert table["label"].tolist() == [*labels, *labels]
