"""Folders of images: a sub-folder per class, as torchvision's ImageFolder and Keras have it; or files and folders."""

import contextlib
import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from oneshot.core.errors import UserError, shown
from oneshot.use.reading import ENDINGS

# What operating systems leave in folders.
_JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_HOW = "put the images of each class into a folder that has its name"


class Found(NamedTuple):
    """Images in order: `paths`; `names`, the class of each, empty if they have none; `notes`, sentences on the rest."""

    paths: list[Path]
    names: list[str]
    notes: list[str]


def examples(folder: str | Path, *, flat: bool = False) -> Found:
    """Find the images of each class: `folder` has a sub-folder per class, with images or folders of images in it.

    flat: whether a folder without sub-folders may hold one image per class instead, named by it. Hidden files are
    skipped, and so are empty folders and files whose ending is no image's; the notes name these. Classes and images are
    in the order of their names. Raises UserError if the folder is missing or has no sub-folder, if a class has no image
    among its files, if there is only one class, or if the names of two differ by capital letters or by how accents are
    stored alone.
    """
    folder = Path(folder)
    entries, junk = _sorted_out(_entries(folder))
    classes = [entry for entry in entries if entry.is_dir()]
    empty = [place for place in classes if not any(_entries(place))]
    classes = [place for place in classes if place not in empty]
    files = [entry for entry in entries if not entry.is_dir()]
    singles = [entry for entry in files if entry.suffix.lower() in ENDINGS]
    if flat and not classes and len(singles) > 1:
        _check_names(folder, [path.with_suffix("") for path in singles])
        others = [entry for entry in files if entry not in singles]
        return Found(singles, [written(path.stem) for path in singles], _notes(others + junk, empty))
    if not classes:
        single = ", or give two images or more, each named after its class" if flat else ""
        raise UserError(f"{shown(folder)} has no folders with images in it: {_HOW}{single}")
    _check_names(folder, classes)
    paths, names, others = [], [], files + junk
    for place in classes:
        found, rest = _images_below(place, (os.path.realpath(folder),))
        if not found:
            raise UserError(f"{shown(place)} holds no image: put one into it, or remove the folder")
        paths += found
        names += [written(place.name)] * len(found)
        others += rest
    if len(classes) == 1:
        left = f" (not counted: {_first([*singles, *empty])})" if singles or empty else ""
        deeper = sum(entry.is_dir() for entry in _entries(classes[0])) > 1
        hint = f"did you mean {shown(classes[0])}?" if deeper else "add a folder"
        raise UserError(f"{shown(folder)} has one class only, {names[0]}{left}: there is nothing to tell apart; {hint}")
    return Found(paths, names, _notes(others, empty))


def written(name: str | Path) -> str:
    """A name as CSV and JSON hold it: itself, but bytes that are no UTF-8 as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def background(folder: str | Path) -> list[Path] | tuple[list[Path], list[str]]:
    """Find images of other classes: with their classes, if the folder has a sub-folder per class, else alone."""
    if sum(entry.is_dir() for entry in _entries(Path(folder))) < 2:
        return images([folder]).paths
    found = examples(folder)
    return found.paths, found.names


def repeated(found: Found, queries: Found | None = None) -> list[str]:
    """Notes on files with the same bytes: in two classes of `found`, and among `queries` too.

    Only files of the same size are read.
    """
    by_size: dict[int, list[tuple[Path, str | None]]] = defaultdict(list)
    classes = [*found.names, *([None] * len(queries.paths) if queries else [])]
    paths: list[Path] = [*found.paths, *(queries.paths if queries else [])]
    for path, name in zip(paths, classes, strict=True):
        with contextlib.suppress(OSError):  # what cannot be read is reported later
            by_size[path.stat().st_size].append((path, name))
    among, across = [], []
    for same in by_size.values():
        digests = defaultdict(list)
        for path, name in same if len(same) > 1 else []:
            with contextlib.suppress(OSError), path.open("rb") as file:
                digests[hashlib.file_digest(file, "sha256").digest()].append((path, name))
        for twins in digests.values():
            names = {name for _, name in twins if name is not None}
            asked = [path for path, name in twins if name is None]
            across += [twins[0][0]] if len(names) > 1 else []
            among += asked if names else []
    notes = []
    if across:
        notes.append(f"{_images(across)} in more than one class: {_first(across)}")
    if among:
        notes.append(f"{_images(among)} an example too, which is no test of it: {_first(among)}")
    return notes


def images(places: Iterable[str | Path]) -> Found:
    """Find images: each of `places` is a file, whatever its ending, or a folder of images or of folders of them.

    A file that is named twice is taken once; the notes say so. Raises UserError if a place is missing, a folder holds
    no image, or nothing is named.
    """
    paths, others, seen, twice = [], [], set(), []
    for place in map(Path, places):
        if os.path.isdir(place):
            found, rest = _images_below(place)
            if not found:
                raise UserError(f"{shown(place)} holds no image: name a folder that does, or a file")
            others += rest
        elif os.path.exists(place):
            found = [place]
        else:
            raise UserError(f"{shown(place)} is missing: give the path of an image, or of a folder of images")
        for path in found:
            real = os.path.realpath(path)
            (twice if real in seen else paths).append(path)
            seen.add(real)
    if not paths:
        raise UserError("no image is named: give the path of an image, or of a folder of images")
    notes = _notes(others)
    if twice:
        notes.append(f"{_count(twice)} named twice and taken once: {_first(twice)}")
    return Found(paths, [], notes)


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, hidden files aside, by name."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        raise UserError(
            f"{shown(folder)} is missing: give the path of a folder with a folder of images per class"
        ) from None
    except NotADirectoryError:
        raise UserError(
            f"{shown(folder)} is a file: give the path of a folder with a folder of images per class"
        ) from None
    except OSError as error:
        raise UserError(
            f"{shown(folder)} cannot be opened ({error.strerror}): give the path of another folder"
        ) from None


def _sorted_out(entries: list[Path]) -> tuple[list[Path], list[Path]]:
    """Entries, and those that an operating system left."""
    junk = [entry for entry in entries if entry.name.lower() in _JUNK]
    return [entry for entry in entries if entry not in junk], junk


def _images_below(folder: Path, above: tuple[str, ...] = ()) -> tuple[list[Path], list[Path]]:
    """The images in a folder and in those below it, by name, and the other files.

    A link to a folder is followed, unless it leads back to one that it is in: that is among the others.
    """
    entries, others = _sorted_out(_entries(folder))
    found, above = [], (*above, os.path.realpath(folder))
    for entry in entries:
        if not entry.is_dir():
            (found if entry.suffix.lower() in ENDINGS else others).append(entry)
        elif os.path.realpath(entry) in above:
            others.append(entry)
        else:
            below, rest = _images_below(entry, above)
            found += below
            others += rest
    return found, others


def _check_names(folder: Path, classes: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for place in classes:
        other = seen.setdefault(unicodedata.normalize("NFC", place.name).casefold(), place)
        if other is not place:
            both = f"{shown(other.name)} and {shown(place.name)}"
            raise UserError(f"{shown(folder)} has a class twice, {both}: give them different names, or join them")


def _notes(others: list[Path], empty: Sequence[Path] = ()) -> list[str]:
    misplaced = [path for path in others if path.suffix.lower() in ENDINGS and not path.is_dir()]
    nameless = [path for path in others if path not in misplaced]
    notes = [f"{_count(nameless)} skipped, without the ending of an image: {_first(nameless)}"] if nameless else []
    if misplaced:
        notes.append(f"{_count(misplaced)} skipped, not in the folder of a class: {_first(misplaced)}")
    if empty:
        count = "1 folder is" if len(empty) == 1 else f"{len(empty):,} folders are"
        notes.append(f"{count} empty and skipped: {_first(list(empty))}")
    return notes


def _count(paths: list[Path]) -> str:
    return "1 file is" if len(paths) == 1 else f"{len(paths):,} files are"


def _images(paths: list[Path]) -> str:
    return "1 image is" if len(paths) == 1 else f"{len(paths):,} images are"


def _first(paths: list[Path]) -> str:
    names = [shown(path) for path in paths[:3]]
    return ", ".join([*names, "..."] if len(paths) > 3 else names)
