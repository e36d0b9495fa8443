"""Projections of representations to two dimensions by PCA and t-SNE, and tables of points for scatter plots."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits


def pca(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project on the two directions of greatest variance: (n, 2) float64; also return their shares of it, (2,) float64.

    features: (n, d) float.
    """
    model = PCA(2, svd_solver="full")
    with threadpool_limits(1):
        points = model.fit_transform(features.astype(np.float64))
    return points, model.explained_variance_ratio_


def tsne(features: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    """Embed by t-SNE (van der Maaten & Hinton 2008, Barnes-Hut), starting from PCA: (n, 2) float64, no unit.

    features: (n, d) float, with n > perplexity; perplexity: effective number of neighbours.
    """
    # One thread: sums depend on the number of threads, and t-SNE turns a last digit into another picture.
    with threadpool_limits(1):
        model = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed % 2**32, n_jobs=1)
        return model.fit_transform(features.astype(np.float32)).astype(np.float64)


def projections(features: np.ndarray, labels: np.ndarray, names: Sequence[str], perplexity: float, seed: int):
    """Make the table of both projections, see point_table; `part` names each, with PCA's shares of the variance."""
    points, shares = pca(features)
    title = "PCA ({:.0f}% and {:.0f}% of the variance)".format(*(100 * shares))
    tables = [
        point_table(points, labels, names, title),
        point_table(tsne(features, perplexity, seed), labels, names, "t-SNE"),
    ]
    return pd.concat(tables)


def point_table(points: np.ndarray, labels: np.ndarray, names: Sequence[str], part: str) -> pd.DataFrame:
    """Lay out points as a table with columns part, x, y (and z), label, class.

    points: (n, d) float, of which PCA keeps two dimensions if there are more than three; labels: (n,) integers; names:
    of each label; part: what the points are.
    """
    if points.shape[1] > 3:
        points, _ = pca(points)
    table = pd.DataFrame(points, columns=["x", "y", "z"][: points.shape[1]])
    table.insert(0, "part", part)
    return table.assign(**{"label": labels.astype(int), "class": [names[label] for label in labels]})
