"""Run the project's pipeline with other parameters in a scratch copy, and keep its metrics and features.

The copy shares the project's cache, so what was trained before is not trained again; interrupted, it stays, and the
same command resumes.

    python pipeline.py OUT RECIPE KEY=VALUE TARGETS    a file in recipes/, or default, and a setting beyond it
"""

import shutil
from pathlib import Path

import study
from ruamel.yaml import YAML
from study import ROOT

from oneshot.core import keys, params
from oneshot.core.errors import UserError
from oneshot.core.files import read_json, write_bytes, write_json

PARSER = YAML(typ="safe", pure=True)


def settings_of(recipe: str) -> list[str]:
    """Read the settings of a file in recipes/, such as "convnet.recipe.batch=32"; "default" has none."""
    if recipe == "default":
        return []
    return [word for word in (ROOT / "recipes" / recipe).read_text(encoding="utf-8").split() if word != "-S"]


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


def run(out: Path, recipe: str, setting: str, *targets: str) -> None:
    """Write OUT/metrics.json and, if features/6-class is made, OUT/features."""
    tree = change(params.read(ROOT), [*settings_of(recipe), setting])
    params.check(tree, params.stage_schemas(ROOT))
    folder = ROOT / ".checkpoints/runs" / out.name
    folder.mkdir(parents=True, exist_ok=True)
    update(folder, tree)
    study.run(folder, *study.DVC, "repro", *targets)
    metrics = {
        path.relative_to(folder / "metrics").with_suffix("").as_posix(): read_json(path)
        for path in sorted((folder / "metrics").rglob("*.json"))
    }
    write_json(out / "metrics.json", {"seed": tree["seed"], "margin": tree["margin"], "metrics": metrics})
    if (folder / "features/6-class").exists():
        shutil.rmtree(out / "features", ignore_errors=True)
        for path in (folder / "features/6-class").iterdir():
            write_bytes(out / "features" / path.name, path.read_bytes())
    shutil.rmtree(folder)


if __name__ == "__main__":
    study.main(__doc__, run)
