"""Representations in two dimensions, for the eye: PCA and t-SNE, the same bytes each time."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits


def pca(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project on the two directions of greatest variance: (n, 2) float64; and their shares of it, (2,) float64.

    features: (n, d) float.
    """
    model = PCA(2, svd_solver="full")
    with threadpool_limits(1):
        points = model.fit_transform(features.astype(np.float64))
    return points, model.explained_variance_ratio_


def tsne(features: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    """Embed by t-SNE (van der Maaten & Hinton 2008, Barnes-Hut), from the PCA: (n, 2) float64, without unit.

    features: (n, d) float, with n > perplexity; perplexity: effective number of neighbours.
    """
    # Sums over threads depend on their number, and t-SNE turns a last digit into another picture: one thread.
    with threadpool_limits(1):
        model = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed % 2**32, n_jobs=1)
        return model.fit_transform(features.astype(np.float32)).astype(np.float64)
