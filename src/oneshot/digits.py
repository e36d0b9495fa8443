"""MNIST as the nets of digits take it: images in [0, 1] with one channel, by part of the split."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from oneshot.datasets import read_mnist
from oneshot.files import read_arrays


class Digits(NamedTuple):
    """Images (n, 28, 28, 1) float32 in [0, 1], labels (n,) uint8, and their positions (n,) int64 in the data set."""

    images: np.ndarray
    labels: np.ndarray
    indices: np.ndarray


def load(raw: str | Path, splits: str | Path) -> dict[str, Digits]:
    """Load every part of the split: {"seen_train": ..., "unseen_test": ..., ...}."""
    images, labels = read_mnist(raw)
    return {
        part: Digits(images[indices, ..., None] / np.float32(255), labels[indices], indices)
        for part, indices in read_arrays(splits).items()
    }


def join(parts: list[Digits]) -> Digits:
    """Put parts together into one."""
    return Digits(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def test_embeddings(sets: dict[str, Digits], embedded: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Join the test parts, seen digits first, as the one-shot stage reads them: embeddings (n, d), labels, indices."""
    parts = ("seen_test", "unseen_test")
    test = join([sets[part] for part in parts])
    return {
        "embeddings": np.concatenate([embedded[part] for part in parts]),
        "labels": test.labels,
        "indices": test.indices,
    }
