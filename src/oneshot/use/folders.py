"""Folders of images: a sub-folder per class, as torchvision's ImageFolder and Keras have it; or files and folders."""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from oneshot.core.errors import UserError
from oneshot.use.reading import ENDINGS, shown

_HOW = "put the images of each class into a folder that has its name"


class Found(NamedTuple):
    """Images in order: `paths`; `names`, the class of each, empty if they have none; `notes`, sentences on the rest."""

    paths: list[Path]
    names: list[str]
    notes: list[str]


def examples(folder: str | Path) -> Found:
    """Find the images of each class: `folder` has a sub-folder per class, with images or folders of images in it.

    Hidden files are skipped, and files whose ending is no image's; the notes name these. Classes and images are in the
    order of their names. Raises UserError if the folder is missing or has no sub-folder, if a class has no image, if
    there is only one class, or if the names of two differ by capital letters or by how accents are stored alone.
    """
    folder = Path(folder)
    entries = _entries(folder)
    classes = [entry for entry in entries if entry.is_dir()]
    if not classes:
        raise UserError(f"{shown(folder)} has no folders in it: {_HOW}")
    _check_names(folder, classes)
    paths, names, others = [], [], [entry for entry in entries if not entry.is_dir()]
    for place in classes:
        found, rest = _images_below(place)
        if not found:
            raise UserError(f"{shown(place)} holds no image: put one into it, or remove the folder")
        paths += found
        names += [shown(place.name)] * len(found)
        others += rest
    if len(classes) == 1:
        raise UserError(f"{shown(folder)} has one class only, {names[0]}: there is nothing to tell apart; add a folder")
    return Found(paths, names, _notes(others))


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


def _images_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """The images in a folder and in those below it, by name, and the other files; links to folders are not followed."""
    found, others = [], []
    for entry in _entries(folder):
        if entry.is_dir():
            if not entry.is_symlink():
                below, rest = _images_below(entry)
                found += below
                others += rest
        else:
            (found if entry.suffix.lower() in ENDINGS else others).append(entry)
    return found, others


def _check_names(folder: Path, classes: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for place in classes:
        other = seen.setdefault(unicodedata.normalize("NFC", place.name).casefold(), place)
        if other is not place:
            both = f"{shown(other.name)} and {shown(place.name)}"
            raise UserError(f"{shown(folder)} has a class twice, {both}: give them different names, or join them")


def _notes(others: list[Path]) -> list[str]:
    return [f"{_count(others)} skipped, no image by its place or name: {_first(others)}"] if others else []


def _count(paths: list[Path]) -> str:
    return "1 file is" if len(paths) == 1 else f"{len(paths):,} files are"


def _first(paths: list[Path]) -> str:
    names = [shown(path) for path in paths[:3]]
    return ", ".join([*names, "..."] if len(paths) > 3 else names)
