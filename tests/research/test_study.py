"""How the scripts of the studies are called, and that dvc.yaml calls them so."""

import sys
from pathlib import Path

import pytest
import study
from dvc.dvcfile import Lockfile
from dvc.repo import Repo

from oneshot.core.errors import UserError

ROOT = Path(__file__).parents[2]


def call(monkeypatch: pytest.MonkeyPatch, *words: str, table=None) -> list:
    """What the part of a study gets by some words of the command line."""
    got = []

    def part(name: str, number: int, *folders: Path) -> None:
        got.append((name, number, folders))

    monkeypatch.setattr(sys, "argv", ["study", *words])
    study.main("", part, table)
    return got


def test_words_have_the_types_of_the_parameters(monkeypatch):
    assert call(monkeypatch, "a", "2", "x", "y") == [("a", 2, (Path("x"), Path("y")))]


def test_without_words_the_table_is_made(monkeypatch):
    made = []
    assert call(monkeypatch, table=lambda: made.append(1)) == [] and made == [1]


def test_a_wrong_word_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        call(monkeypatch, "a", "two", "x")
    assert "argument number: invalid int value: 'two'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "said"),
    [(UserError("no data"), "error: no data"), (KeyboardInterrupt(), "interrupted: the same command")],
)
def test_mistakes_and_interruptions_end_in_one_sentence(monkeypatch, raised, said):
    def fail() -> None:
        raise raised

    with pytest.raises(SystemExit, match=said):
        call(monkeypatch, table=fail)


def test_the_pipeline_of_the_studies_names_scripts_and_dependencies_that_are_there(monkeypatch):
    """A missing file would end a study in its first run only."""
    # What has run does not matter here, and its record takes seconds to read.
    monkeypatch.setattr(Lockfile, "load", lambda lock: {})
    with Repo(str(ROOT / "research")) as repo:
        stages = list(repo.index.stages)
    made = {out.fs_path for stage in stages for out in stage.outs}
    for stage in stages:
        script = stage.cmd.split()[1]
        deps = {
            Path(dep.fs_path) for dep in stage.deps if dep.protocol == "local" and "params.yaml" not in dep.def_path
        }
        assert {ROOT / "research" / name for name in (script, "study.py")} <= deps, stage.addressing
        own = [path for path in deps if not {"data", "models", "features", "runs", "parts"} & set(path.parts)]
        assert all(path.exists() or str(path) in made for path in own), stage.addressing
        # Otherwise DVC has no entry for the stage in its run cache, from which others take what a job has run.
        assert all(out.use_cache or out.is_plot or out.is_metric for out in stage.outs), stage.addressing
