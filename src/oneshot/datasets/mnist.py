"""MNIST as arrays, read from the IDX files of its official release."""

from pathlib import Path

import numpy as np

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages, check_labels, join

NAMES = tuple(str(digit) for digit in range(10))
TEST_PARTS = ("seen_test", "unseen_test")
TRAINING = 60_000  # images 0..59999 are the official training images, the rest the test images

_SIZES = {"train": TRAINING, "t10k": 10_000}


def read(folder: str | Path) -> LabelledImages:
    """Read MNIST: images (70000, 28, 28) uint8, labels (70000,) uint8 in 0..9; the training images come first.

    folder: holds {train,t10k}-{images-idx3,labels-idx1}-ubyte. Raises UserError if a file is missing or malformed.
    """
    folder = Path(folder)
    images = [read_idx(folder / f"{part}-images-idx3-ubyte", (size, 28, 28)) for part, size in _SIZES.items()]
    labels = []
    for part, size in _SIZES.items():
        path = folder / f"{part}-labels-idx1-ubyte"
        labels.append(read_idx(path, (size,)))
        check_labels(labels[-1], path)
    return LabelledImages(np.concatenate(images), np.concatenate(labels), np.arange(sum(_SIZES.values())))


def read_parts(raw: str | Path, splits: str | Path) -> dict[str, LabelledImages]:
    """Read the parts of a split as input of the digit nets: {part: images (n, 28, 28, 1) float32 in [0, 1]}.

    raw: folder for `read`; splits: folder of index arrays, such as seen_train.npy. Raises UserError as `read` does.
    """
    digits = read(raw)
    parts = digits.parts(files.read_arrays(splits))
    return {name: part._replace(images=part.images[..., None] / np.float32(255)) for name, part in parts.items()}


def test_features(parts: dict[str, LabelledImages], **features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Join the test parts, seen digits first, for the one-shot stage: labels (n,), indices (n,), and `features`.

    features: by name what a net makes of the parts in TEST_PARTS, (m, d) each -> (n, d).
    """
    test = join([parts[name] for name in TEST_PARTS])
    joined = {name: np.concatenate([made[part] for part in TEST_PARTS]) for name, made in features.items()}
    return joined | {"labels": test.labels, "indices": test.indices}


def read_idx(path: str | Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read an IDX file of bytes: an array (*shape) uint8.

    Raises UserError if the file is missing, has another size, or its header names another type or shape.
    """
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    content = files.read_bytes(path, len(header) + int(np.prod(shape)))
    if not content.startswith(header):
        raise UserError(f"{path} has no IDX header for bytes of shape {shape}: delete it and run dvc repro")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()
