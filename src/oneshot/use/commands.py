"""What `oneshot` does: find and read the images, classify or evaluate, print, and write what is asked for."""

import importlib.util
import itertools
import json as json_module
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from oneshot.core import files
from oneshot.core.errors import UserError, shown
from oneshot.encoders import catalogue
from oneshot.encoders.encoder import Encoder, parts
from oneshot.evaluation import confusion
from oneshot.evaluation.calibration import SURE
from oneshot.use import folders, nearest, representation
from oneshot.use.representation import AnyEncoder

# A wider matrix does not fit into a terminal.
_PRINTED = 12
_PAIRS = 5
_LONGEST = 240  # bytes of a file's name
_STREAM = "-"  # standard output instead of a file
_MEANING = """\
The interval is that of the mean over episodes, each with other examples; the last column holds 19 of 20 episodes.
All values are for these images: the fewer there are, the more new images of the same classes may differ."""


def classify(
    examples: str,
    images: Sequence[str],
    *,
    encoder: AnyEncoder,
    method: str | None = None,
    background: str | None = None,
    csv: str | None = None,
    json: str | None = None,
) -> list[str]:
    """Classify images by examples in a folder of a sub-folder per class; print a table and write it, if asked for.

    The table has a row per image, in order: image, class, probability and answer (where probabilities are known),
    distance, runner_up, runner_up_distance. Returns a sentence on each image that could not be used and has no row.
    Raises UserError for whatever the user can fix, before anything is written.
    """
    _check_outputs(csv, json)
    support, queries = folders.examples(examples, flat=True), folders.images(images)
    _report([*support.notes, *queries.notes, *folders.repeated(support, queries)])
    represent = _represent(encoder, method, background, [csv, json], [*support.paths, *queries.paths])
    vectors, names = represent(support.paths), np.array(support.names)
    nearest.check_examples(vectors, names)
    classes, means, counts = nearest.class_means(vectors, names)
    broken: dict[int, str] = {}
    distances = nearest.distances(represent(queries.paths, broken), means)
    good = [number for number in range(len(queries.paths)) if number not in broken]
    table = nearest_two([queries.paths[number] for number in good], distances[good], classes)
    if represent.temperature is not None:
        probability = nearest.probabilities(distances[good], counts, represent).max(1)
        table.insert(2, "probability", probability)
        table.insert(3, "answer", np.where(probability >= SURE, "sure", "unsure"))
    about = {"encoder": represent.name, "method": represent.method, "classes": classes.tolist()}
    content = about | {"images": table.to_dict("records")}
    if csv and csv != _STREAM:
        files.write_csv(csv, table)
    if json and json != _STREAM:
        files.write_json(json, content)
    if csv == _STREAM:
        print(files.csv_text(table), end="")
    elif json == _STREAM:
        print(files.json_text(content), end="")
    else:
        _print_table(table.rename(columns={"runner_up": "runner-up", "runner_up_distance": "its distance"}))
    return list(broken.values())


def evaluate(
    folder: str,
    *,
    encoder: AnyEncoder,
    method: str | None = None,
    background: str | None = None,
    episodes: int = 1000,
    seed: int = 1,
    csv: str | None = None,
    json: str | None = None,
    confusion_file: str | None = None,
    picture_file: str | None = None,
) -> list[str]:
    """Report how well the classes of a folder are distinguished, given 1, 2, 5 and 10 examples; write it, if asked for.

    seed: of the random choices; csv: the curve of accuracy by number of examples; json: the same as metrics;
    confusion_file: the confusions from the fewest examples, CSV; picture_file: the curve and the confusion matrix, PNG.
    Returns a sentence on each image that could not be used. Raises UserError for whatever the user can fix, before
    anything is written.
    """
    _check_outputs(csv, json, confusion_file, picture_file)
    if not 0 <= seed < 2**63:
        raise UserError(f"--seed must be from 0 to {2**63 - 1}, but is {seed}")
    if picture_file and Path(picture_file).suffix.lower() != ".png":
        raise UserError(f"--picture writes PNG: give a name that ends in .png, not {shown(picture_file)}")
    if picture_file and importlib.util.find_spec("matplotlib") is None:
        raise UserError("--picture needs the package matplotlib: pip install matplotlib")
    found = folders.examples(folder)
    _report([*found.notes, *folders.repeated(found)])
    # scikit-learn takes most of a second to import: a mistake in the paths is reported before.
    from oneshot.use import trial

    trial.check(*_labelled(found.names), episodes)
    outputs = [csv, json, confusion_file, picture_file]
    vectors_of = _represent(encoder, method, background, outputs, found.paths)
    broken: dict[int, str] = {}
    vectors = vectors_of(found.paths, broken)
    good = [number for number in range(len(found.paths)) if number not in broken]
    labels, names = _labelled([found.names[number] for number in good])
    if len(names) < 2:
        raise UserError(f"{next(iter(broken.values()))}; without it there is one class only")
    try:
        result = trial.run(vectors[good], labels, names, episodes=episodes, seed=seed)
    except UserError as error:
        raise UserError("; ".join([*itertools.islice(broken.values(), 1), str(error)])) from None
    title = (
        f"{len(names)} classes, {len(labels):,} images; encoder {vectors_of.name}, method {vectors_of.method};"
        f" {episodes:,} episodes"
    )
    measured = {
        f"shot_{row['shots']}": {"accuracy": row["accuracy"], "interval_95": row["interval_95"]}
        for row in result.curve.to_dict("records")
    }
    metrics = {"classes": len(names), "images": len(labels)} | measured
    drawn = _drawn(result, names, title) if picture_file else None
    if csv and csv != _STREAM:
        files.write_csv(csv, result.curve)
    if json and json != _STREAM:
        files.write_json(json, metrics)
    if confusion_file:
        files.write_csv(confusion_file, confusion.to_table(result.confusions[min(result.confusions)], names))
    if picture_file and drawn:
        files.write_bytes(picture_file, drawn)
    if csv == _STREAM:
        print(files.csv_text(result.curve), end="")
    elif json == _STREAM:
        print(files.json_text(metrics), end="")
    else:
        print(title)
        print()
        _print_curve(result.curve)
        print(_MEANING)
        print()
        _print_confusions(result.confusions, names)
    return list(broken.values())


def inspect(encoder: str) -> None:
    """Print what an ONNX file wants and gives."""
    described = Encoder.describe(catalogue.find(encoder))
    described["outputs"] = "; ".join(described["outputs"])
    width = max(map(len, described))
    for key, value in described.items():
        text = value if isinstance(value, str) else json_module.dumps(value)
        print(f"{key.ljust(width)}  {shown(text)}")


def _represent(
    encoder: AnyEncoder,
    method: str | None,
    background: str | None,
    outputs: Sequence[str | None],
    paths: Sequence[Path],
) -> representation.Representation:
    """What makes vectors of the images in `paths`; raises UserError if an output would replace what is read."""
    known = None if background is None else folders.background(background)
    read = [*paths, *(known[0] if isinstance(known, tuple) else known or [])]
    if isinstance(encoder, (str, Path, Encoder)):
        read += parts(encoder.path if isinstance(encoder, Encoder) else catalogue.find(encoder))
    places = {os.path.realpath(path) for path in read}
    for output in outputs:
        if output is not None and os.path.realpath(output) in places:
            raise UserError(f"{shown(output)} is read here, and would be replaced: give the output another name")
    made = representation.make(encoder, method, known)
    if made.instead_of:
        _report([f"with --background the method is {made.method}, not the encoder's own {made.instead_of}"])
    return made


def _drawn(result, names: list[str], title: str) -> bytes:
    """The PNG of --picture; raises UserError if matplotlib cannot be used."""
    try:
        from oneshot.use import picture
    except (ImportError, ValueError) as error:  # ValueError: of a wrong MPLBACKEND
        raise UserError(f"--picture needs matplotlib, which cannot be loaded ({error})") from None
    return picture.draw(result, names, title)


def _labelled(names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Labels 0, 1, ... (n,) and the classes in their order."""
    classes, labels = np.unique(names, return_inverse=True)
    return labels, classes.tolist()


def nearest_two(paths: Sequence[Path], distances: np.ndarray, names: np.ndarray) -> pd.DataFrame:
    """The table of `classify`, see there. distances: (n, classes) float; names: (classes,)."""
    order = distances.argsort(axis=1, kind="stable")[:, :2]
    near = np.take_along_axis(distances, order, axis=1)
    return pd.DataFrame(
        {
            "image": [folders.written(path) for path in paths],
            "class": names[order[:, 0]],
            "distance": near[:, 0],
            "runner_up": names[order[:, 1]],
            "runner_up_distance": near[:, 1],
        }
    )


def _check_outputs(*outputs: str | None) -> None:
    """Raise UserError for what cannot be written, before any work."""
    places: dict[str, Path] = {}
    if outputs.count(_STREAM) > 1 or _STREAM in outputs[2:]:
        raise UserError("standard output (-) is for one table, --csv or --json: give the others a file's name")
    for path in (Path(output) for output in outputs if output is not None and output != _STREAM):
        _check_output(path)
        # One file may have several names, such as a.csv and folder/../a.csv.
        if places.setdefault(os.path.realpath(path), path) is not path:
            raise UserError(f"{shown(path)} is named for two outputs: give each a name of its own")


def _check_output(path: Path) -> None:
    # A file is written beside its place first, by a name that is some letters longer.
    if long := [part for part in path.parts if len(os.fsencode(part)) > _LONGEST]:
        raise UserError(f"{shown(long[0][:20])}... is too long for the name of a file: give a shorter one")
    # os.path sees what is in a closed folder as missing; the methods of Path differ between versions of Python.
    if os.path.isdir(path):
        raise UserError(f"{shown(path)} is a folder: give the name of a file to write")
    # A new file is renamed over the old one, which would replace the device itself, or the link.
    if os.path.islink(path) or (os.path.exists(path) and not os.path.isfile(path)):
        raise UserError(f"{shown(path)} is a device, a pipe or a link: give the name of a file to write")
    parent = next(place for place in path.absolute().parents if os.path.lexists(place))
    if not os.path.isdir(parent):
        raise UserError(f"{shown(path)} cannot be written: {shown(parent)} is a file, no folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(
            f"{shown(path)} cannot be written: you have no permission to write into {shown(parent)}; give another path"
        )


def _report(notes: Sequence[str]) -> None:
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _print_curve(curve: pd.DataFrame) -> None:
    table = pd.DataFrame(
        {
            "examples": curve["shots"],
            "accuracy": [f"{100 * value:.1f}%" for value in curve["accuracy"]],
            "95% interval": [f"+/- {100 * value:.1f}%" for value in curve["interval_95"]],
            "19 of 20 episodes": [
                f"{100 * low:.0f}% to {100 * high:.0f}%" for low, high in zip(curve["low"], curve["high"], strict=True)
            ],
        }
    )
    _print_table(table)


def _print_confusions(confusions: dict[int, np.ndarray], names: list[str]) -> None:
    counts = confusions[1]
    if len(names) <= _PRINTED:
        share = 100 * counts / counts.sum(1, keepdims=True)
        table = pd.DataFrame({name: [f"{value:.0f}" for value in share[:, way]] for way, name in enumerate(names)})
        table.insert(0, "", names)
        print("from 1 example of each class: row = true class, column = predicted, % of the true class")
        _print_table(table)
    else:
        print("from 1 example of each class, the pairs that are confused most, % of both classes' queries:")
        for one, other, count in confusion.confused_pairs(counts)[:_PAIRS]:
            queries = counts[[one, other]].sum()
            print(f"  {shown(names[one])} and {shown(names[other])}: {100 * count / queries:.0f}%")


def _print_table(table: pd.DataFrame) -> None:
    """Print a table in columns, text to the left and numbers to the right."""
    columns = []
    for name in table:
        values = table[name].tolist()
        numbers = pd.api.types.is_numeric_dtype(table[name]) or all(value[:1].isdigit() for value in values)
        cells = [shown(name), *(f"{value:.4g}" if isinstance(value, float) else shown(value) for value in values)]
        width = max(map(len, cells))
        columns.append([cell.rjust(width) if numbers else cell.ljust(width) for cell in cells])
    for row in zip(*columns, strict=True):
        print("  ".join(row).rstrip())
