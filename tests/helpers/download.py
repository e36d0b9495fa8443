"""Small data sets in place of the real ones, in the formats of the sources."""

import gzip
import hashlib
from pathlib import Path

from oneshot.download.catalogue import FILES, File
from oneshot.download.params import DownloadParams
from tests.helpers.packing import tar_gz

BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def accept(monkeypatch, dataset: str, contents: dict[str, bytes]) -> None:
    files = {name: File(len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()}
    monkeypatch.setitem(FILES, dataset, files)


def params(*names: str, folder: str | Path = "") -> DownloadParams:
    return DownloadParams.model_validate({"sources": list(names), "folder": str(folder)})


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fill(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def packed(mnist: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content, 1) for name, content in mnist.items()}


def official(contents: dict[str, bytes]) -> bytes:
    return tar_gz(
        {"cifar-10-batches-bin/readme.html": b"<p>"} | {f"cifar-10-batches-bin/{n}": c for n, c in contents.items()}
    )


def mnist_package(mnist: dict[str, bytes]) -> bytes:
    return tar_gz(
        {"package/package.json": b"{}"} | {f"package/data/{name}": content for name, content in mnist.items()}
    )


def failing(function, error: OSError, after: int):
    """Make a function that fails after so many calls."""
    calls = iter(range(after))

    def wrapper(*arguments, **keywords):
        if next(calls, None) is None:
            raise type(error)(*error.args)
        return function(*arguments, **keywords)

    return wrapper
