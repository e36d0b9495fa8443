"""The archives of the official releases: which files each one holds, and how they are read from it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from oneshot.download import catalogue
from oneshot.download.catalogue import FILES
from oneshot.download.failure import Failure, explained
from oneshot.download.unpack import gunzip, tar_members

CIFAR10_ARCHIVE = "cifar-10-binary.tar.gz"
CIFAR10_FOLDER = "cifar-10-batches-bin"  # of the members of the archive


def archives(dataset: str, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the official archives that hold some files: {archive: those of the names that it holds}."""
    if dataset == "mnist":
        return {f"{name}.gz": [name] for name in names}
    names = list(names)
    return {CIFAR10_ARCHIVE: names} if names else {}


def size_limit(dataset: str, archive: str) -> int:
    """Return the most bytes that an official archive may have, packed or unpacked.

    It counts all files of the archive, not only the wanted ones.
    """
    return catalogue.size_limit(dataset, archives(dataset, FILES[dataset])[archive])


def unpack(dataset: str, path: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the named files of the official archive at `path`, not yet verified.

    Raises Failure if the archive is broken, too large, or lacks one of them.
    """
    if dataset == "mnist":
        with explained(path), path.open("rb") as stream:
            yield names[0], gunzip(stream, FILES[dataset][names[0]].size)
    else:
        files = {f"{CIFAR10_FOLDER}/{name}": name for name in names}
        for member, content in members(path, files, size_limit(dataset, CIFAR10_ARCHIVE)):
            yield files[member], content


def members(path: Path, names: Iterable[str], limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the named members of the .tar.gz at `path`, which may unpack to `limit` bytes.

    Raises Failure if the archive is broken or too large, and at its end if it lacks one of them.
    """
    missing = dict.fromkeys(names)
    with explained(path), path.open("rb") as stream:
        for name, content in tar_members(stream, dict.fromkeys(names, limit), limit):
            del missing[name]
            yield name, content
    if missing:
        raise Failure(f"{path.name} lacks {', '.join(missing)}")
