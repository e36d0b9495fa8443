"""Whitening filters for the first convolution, which then starts as a useful transform of the data, not a random one.

Page, "How to train your ResNet" (2018), and Jordan, "cifar10-airbench" (2024).
"""

import numpy as np

WHITENED = 5_000  # images that the directions are computed from
SMALLEST = 5e-4  # added to each eigenvalue, so that directions of almost no variance do not amplify noise


def whitening_filters(images: np.ndarray) -> np.ndarray:
    """Compute the whitening directions of 3x3 patches, each with its negative: (n, H, H, C) float32 -> (3, 3, C, 18 C).

    The negatives are needed because ReLU keeps only one side of a direction.
    """
    channels = images.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))[:, ::3, ::3]
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * channels).astype(np.float64)
    values, vectors = np.linalg.eigh(patches.T @ patches / len(patches))
    # An eigenvector's sign is arbitrary: make its largest entry positive.
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(values))])
    filters = vectors / np.sqrt(values + SMALLEST)
    return np.concatenate([filters, -filters], axis=1).reshape(3, 3, channels, -1).astype(np.float32)
