"""CIFAR-10 and MNIST as arrays, read from the files of their official releases."""

from pathlib import Path

import numpy as np

from oneshot.errors import UserError

CIFAR10_TRAINING = 50_000  # images 0..49999 are the official training part, the rest the test part
MNIST_TRAINING = 60_000

_RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue planes


def read_cifar10(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read CIFAR-10: images (60000, 32, 32, 3) uint8, labels (60000,) uint8 in 0..9; the training images come first.

    folder: holds data_batch_1..5.bin and test_batch.bin. Raises UserError where a file is missing or is no such batch.
    """
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    images = np.empty((10_000 * len(names), 32, 32, 3), np.uint8)
    labels = np.empty(10_000 * len(names), np.uint8)
    for position, name in enumerate(names):
        part = slice(10_000 * position, 10_000 * (position + 1))
        images[part], labels[part] = read_cifar_batch(Path(folder) / name, 10_000)
    return images, labels


def read_mnist(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read MNIST: images (70000, 28, 28) uint8, labels (70000,) uint8 in 0..9; the training images come first.

    folder: holds {train,t10k}-{images-idx3,labels-idx1}-ubyte. Raises UserError where one is missing or no such file.
    """
    folder = Path(folder)
    sizes = {"train": MNIST_TRAINING, "t10k": 10_000}
    images = [read_idx(folder / f"{part}-images-idx3-ubyte", (size, 28, 28)) for part, size in sizes.items()]
    labels = []
    for part, size in sizes.items():
        labels.append(read_idx(folder / f"{part}-labels-idx1-ubyte", (size,)))
        _check_labels(labels[-1], folder / f"{part}-labels-idx1-ubyte")
    return np.concatenate(images), np.concatenate(labels)


def read_cifar_batch(path: str | Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Read one CIFAR-10 binary batch: images (count, 32, 32, 3) uint8, labels (count,) uint8 in 0..9.

    Raises UserError where the file is missing, has another size, or holds a label above 9.
    """
    content = _read(Path(path), count * _RECORD)
    records = np.frombuffer(content, np.uint8).reshape(count, _RECORD)
    labels = records[:, 0].copy()
    _check_labels(labels, path)
    return np.ascontiguousarray(records[:, 1:].reshape(count, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def read_idx(path: str | Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read an IDX file of bytes: an array (*shape) uint8.

    Raises UserError where the file is missing, has another size, or its header names another type or shape.
    """
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    content = _read(Path(path), len(header) + int(np.prod(shape)))
    if not content.startswith(header):
        raise UserError(f"{path} has no IDX header for bytes of shape {shape}: delete it and run dvc repro")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()


def _read(path: Path, size: int) -> bytes:
    # The size is checked before a byte is read, so that no file, however large, fills the memory.
    if not path.is_file():
        raise UserError(f"{path} is missing: run dvc repro, or dvc pull where a remote has it")
    found = path.stat().st_size
    if found != size:
        raise UserError(f"{path} has {found} bytes instead of {size}: delete it and run dvc repro")
    return path.read_bytes()


def _check_labels(labels: np.ndarray, path: str | Path) -> None:
    if labels.size and labels.max() > 9:
        raise UserError(f"{path} holds the label {labels.max()}, but labels are 0..9: delete it and run dvc repro")
