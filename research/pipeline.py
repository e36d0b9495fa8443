"""Run the project's pipeline with other parameters in a scratch copy, which shares the project's cache."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import study
from ruamel.yaml import YAML
from study import ROOT

from oneshot.core import keys, params
from oneshot.core.errors import UserError
from oneshot.core.files import read_json

PARSER = YAML(typ="safe", pure=True)


def settings_of(recipe: str) -> list[str]:
    """Read the settings of a file in recipes/, such as "convnet.recipe.batch=32"; "default" has none."""
    if recipe == "default":
        return []
    path = ROOT / "recipes" / recipe
    if not path.is_file():
        raise UserError(f"there is no recipe {recipe}: name a file in recipes/, or default")
    return [word for word in path.read_text(encoding="utf-8").split() if word != "-S"]


def change(tree: dict, settings: list[str]) -> dict:
    """Copy a tree of parameters with settings such as margin=2; raises UserError for a key that it lacks."""
    try:
        return keys.changed(tree, {key: PARSER.load(value) for key, _, value in (s.partition("=") for s in settings)})
    except KeyError as error:
        raise UserError(f"params.yaml has no {error}") from None


def update(folder: Path, tree: dict) -> None:
    """Bring a scratch copy up to date: this code, some parameters, the cache of the project."""
    for name in ("src", "stages"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy2(ROOT / name, folder / name)
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        PARSER.dump(tree, file)
    if not (folder / ".dvc").exists():
        study.run(folder, *study.DVC, "init", "--quiet", "--no-scm")
        study.run(folder, *study.DVC, "cache", "dir", "--quiet", str(ROOT / ".dvc/cache"))


@contextlib.contextmanager
def run(recipe: str, setting: str, *targets: str) -> Iterator[tuple[Path, dict[str, dict]]]:
    """Run stages by a recipe (a file in recipes/, or "default") and a setting beyond it, such as "seed=2".

    Yields the scratch copy and its metrics, by path below metrics/ without .json. The copy is deleted at the end, but
    stays if something fails or is interrupted: the next call resumes.
    """
    tree = change(params.read(ROOT), [*settings_of(recipe), setting])
    params.check(tree, params.stage_schemas(ROOT))
    folder = ROOT / ".checkpoints/runs" / "-".join((recipe, setting.replace("=", "-"), targets[0]))
    folder.mkdir(parents=True, exist_ok=True)
    update(folder, tree)
    study.run(folder, *study.DVC, "repro", *targets)
    metrics = folder / "metrics"
    yield (
        folder,
        {path.relative_to(metrics).with_suffix("").as_posix(): read_json(path) for path in metrics.rglob("*.json")},
    )
    shutil.rmtree(folder)
