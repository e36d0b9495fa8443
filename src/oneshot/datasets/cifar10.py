"""CIFAR-10 as arrays, read from the binary files of its official release."""

from pathlib import Path

import numpy as np

from oneshot.core import files
from oneshot.core.images import LabelledImages, check_labels

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAINING = 50_000  # images 0..49999 are the official training images, the rest the test images

_BATCHES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
_PER_BATCH = 10_000
_RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue planes


def read(folder: str | Path) -> LabelledImages:
    """Read CIFAR-10: images (60000, 32, 32, 3) uint8, labels (60000,) uint8 in 0..9; the training images come first.

    folder: holds data_batch_1..5.bin and test_batch.bin. Raises UserError if a file is missing or malformed.
    """
    count = _PER_BATCH * len(_BATCHES)
    images = np.empty((count, 32, 32, 3), np.uint8)
    labels = np.empty(count, np.uint8)
    for position, name in enumerate(_BATCHES):
        part = slice(_PER_BATCH * position, _PER_BATCH * (position + 1))
        images[part], labels[part] = read_batch(Path(folder) / name, _PER_BATCH)
    return LabelledImages(images, labels, np.arange(count))


def read_batch(path: str | Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Read one binary batch: images (count, 32, 32, 3) uint8, labels (count,) uint8 in 0..9.

    Raises UserError if the file is missing, has another size, or holds a label above 9.
    """
    records = np.frombuffer(files.read_bytes(path, count * _RECORD), np.uint8).reshape(count, _RECORD)
    labels = records[:, 0].copy()
    check_labels(labels, path)
    return np.ascontiguousarray(records[:, 1:].reshape(count, 3, 32, 32).transpose(0, 2, 3, 1)), labels
