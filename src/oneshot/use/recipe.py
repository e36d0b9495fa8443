"""The recipe for one's own classes, a DVC pipeline: from the wheel, or from recipes/own in a checkout."""

import os
import re
from pathlib import Path

from oneshot.core import files
from oneshot.core.errors import UserError

_PACKAGE = Path(__file__).parents[1]
_CHECKOUT = _PACKAGE.parents[1]
_FOLDERS = (_PACKAGE / "use/recipe", _CHECKOUT / "recipes/own", _CHECKOUT / ".dvc/plots")
_TEMPLATE = "confusion_counts.json"  # of a plot; DVC's own templates do not take counts


def write(folder: str) -> str:
    """Write dvc.yaml and params.yaml into a folder, and the template of its plot for DVC; return what to do next.

    Raises UserError if one of them is there already, the folder is not one right here (the pipeline's commands run in
    the folder above it), or here is no root of a DVC project.
    """
    name = folder.rstrip("/")
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UserError(f"{folder} is no plain name: give one of a folder here, such as own")
    if not Path(".dvc").is_dir():
        raise UserError(
            "here is no .dvc: go to the root of a Git repository with DVC, or run `git init` and `dvc init`"
        )
    written = {"pipeline.yaml": Path(name) / "dvc.yaml", "params.yaml": Path(name) / "params.yaml"}
    for place in (name, ".dvc/plots"):
        if os.path.lexists(place) and not os.path.isdir(place):
            raise UserError(f"{place} is there already, and no folder: give another name, or move it away")
    if there := [path for path in written.values() if path.exists()]:
        raise UserError(f"{there[0]} is there already: give another folder, or delete it")
    if not (template := Path(".dvc/plots") / _TEMPLATE).exists():
        files.write_bytes(template, _read(_TEMPLATE).encode())
    for source, path in written.items():
        files.write_bytes(path, _read(source).replace("own/", f"{name}/").encode())
    return (
        f"{name} has a pipeline: put a folder of images per class into {name}/images, then\n"
        f"  dvc add {name}/images\n  dvc repro {name}/dvc.yaml\n  git add {name} .dvc/plots"
    )


def _read(name: str) -> str:
    return next(path for path in (folder / name for folder in _FOLDERS) if path.is_file()).read_text(encoding="utf-8")
