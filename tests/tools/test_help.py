"""`--help` of every tool and benchmark says what it does, and does nothing."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Those with a main(); the others are imported only.
PROGRAMS = sorted(
    path
    for folder in ("tools", "benchmarks")
    for path in (ROOT / folder).glob("*.py")
    if "__main__" in path.read_text()
)


@pytest.mark.parametrize("program", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_help_says_what_it_does_and_writes_nothing(program: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program.name, "--help"])
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(program), run_name="__main__")
    assert raised.value.code == 0
    purpose = program.read_text().split('"""')[1].splitlines()[0]
    # Lines are broken at hyphens too.
    assert "".join(purpose.split()) in "".join(capsys.readouterr().out.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_an_unknown_argument_runs_nothing(program: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program.name, "--no-such-option"])
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(program), run_name="__main__")
    assert raised.value.code == 2
    assert list(tmp_path.iterdir()) == []
