"""The source `folder`: the official files in a folder that the user names, unpacked or in their archives."""

import os
from collections.abc import Iterator
from pathlib import Path

from oneshot.download.archives import CIFAR10_FOLDER, archives, unpack
from oneshot.download.catalogue import FILES
from oneshot.download.failure import Failure


def files(dataset: str, names: list[str], folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the named files, not yet verified.

    folder: holds them, or has them in a sub-folder with the name of the data set; ~ stands for the user's home.
    Raises Failure if there is no such folder, or if it lacks a file or holds one of another size.
    """
    root = _root(folder)
    places = [root / sub for sub in ("", CIFAR10_FOLDER, dataset, f"{dataset}/{CIFAR10_FOLDER}")]
    packed = []
    for name in names:
        plain = _find(places, name)
        if plain is None:
            packed.append(name)
        elif plain.stat().st_size != FILES[dataset][name].size:
            raise Failure(f"{plain} has {plain.stat().st_size} bytes instead of {FILES[dataset][name].size}")
        else:
            yield name, plain.read_bytes()
    for archive, contained in archives(dataset, packed).items():
        path = _find(places, archive)
        if path is None:
            raise Failure(f"{root} has neither {contained[0]} nor {archive}")
        yield from unpack(dataset, path, contained)


def _root(folder: str) -> Path:
    if not folder:
        raise Failure("download.folder is empty")
    expanded = os.path.expanduser(folder)
    if expanded.startswith("~"):
        raise Failure(f"{folder} starts with an unknown home folder")
    root = Path(expanded).absolute()
    if not root.is_dir():
        raise Failure(f"{root} is not a folder")
    return root


def _find(places: list[Path], name: str) -> Path | None:
    return next((place / name for place in places if (place / name).is_file()), None)
