"""How `make` sets up the environment: again if its folder has moved, with any settings of pip, and for dvc."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import environment

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv/bin"


def planned(folder: Path) -> str:
    """What `make env` would do in a folder."""
    done = subprocess.run(["make", "-n", "env"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(autouse=True)
def no_other_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `make test`, make would say which folder it enters."""
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an environment that claims to be complete."""
    (tmp_path / "tools").mkdir()
    for name in ("Makefile", "requirements.lock", "tools/environment.py"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/installed").write_text(str(tmp_path))
    return tmp_path


def test_a_complete_environment_is_left_alone(project: Path):
    assert "creating .venv" not in planned(project)


def test_an_environment_of_another_folder_is_created_again(project: Path):
    (project / ".venv/installed").write_text("/elsewhere")
    assert "creating .venv" in planned(project)


def test_other_packages_are_installed_again(project: Path):
    os.utime(project / ".venv/installed", (0, 0))
    assert "creating .venv" in planned(project)


@pytest.mark.parametrize("letter", ['"', "$", "`", "\\", ":", "{", "\n"])
def test_a_folder_whose_name_breaks_commands_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letter: str):
    """The shell that make starts reads the path, PATH ends a folder at a colon, and DVC fails at a brace."""
    folder = tmp_path / f"my{letter}project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["environment.py"])
    with pytest.raises(SystemExit, match=r"has a character that breaks commands, .*: rename the folder"):
        environment.main()
    assert list(folder.iterdir()) == []


def test_where_packages_come_from_is_all_that_the_users_pip_and_uv_decide():
    """Every option of both: whatever else a variable or a file sets would put packages elsewhere, or refuse them."""
    listed = (
        ":env:.cert='/variable.pem'\n:env:.target='/elsewhere'\nglobal.cert='/file.pem'\n"
        "global.constraint='c.txt'\nglobal.find-links='/a\\n/b'\nglobal.user='true'\nglobal.index-url='https://global'\n"
        "install.index-url='https://install'\ninstall.require-hashes='true'\nlist.index-url='https://list'\n"
    )
    pip = environment.pip_variables(listed)
    assert pip == {
        "PIP_CERT": "/variable.pem",
        "PIP_FIND_LINKS": "/a\n/b",
        "PIP_INDEX_URL": "https://install",
        "PIP_CONFIG_FILE": os.devnull,
    }
    given = {"UV_CONSTRAINT": "c", "UV_TARGET": "t", "UV_PYTHON": "3.9", "UV_OFFLINE": "1", "PATH": "/bin"}
    assert environment.uv_variables(given, pip) == {"UV_OFFLINE": "1", "UV_DEFAULT_INDEX": "https://install"}
    own = {"UV_DEFAULT_INDEX": "https://uv"}
    assert environment.uv_variables(own, pip) == own
    assert environment.uv_variables({}, {}) == {}


@pytest.mark.skipif(not (BIN / "python").exists(), reason="needs the environment of `make env`")
@pytest.mark.parametrize("target", ["check-stored", "smoke", "compare-runs", "results"])
def test_a_tool_is_found_and_imports_what_is_locked_whatever_python_is_told(project: Path, target: str):
    shutil.rmtree(project / ".venv")
    (project / ".venv").symlink_to(BIN.parent)
    (project / f"tools/{target.replace('-', '_')}.py").write_text("import numpy; print(numpy.__file__)")
    (project / "foreign/numpy").mkdir(parents=True)
    (project / "foreign/numpy/__init__.py").touch()
    hostile = {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(project / "foreign"), "PYTHONHOME": str(project / "foreign")}
    command = ["make", "-o", ".venv/installed", target]
    done = subprocess.run(command, cwd=project, env=os.environ | hostile, check=True, capture_output=True, text=True)
    assert Path(done.stdout.strip()).resolve().is_relative_to(BIN.parent)


@pytest.mark.skipif(not (BIN / "python").exists(), reason="needs the environment of `make env`")
def test_a_failed_command_fails_for_dvc_though_the_parent_ignores_its_children(project: Path):
    """An ignored SIGCHLD is inherited, and Python takes each child's status for 0 (CPython issue 76296)."""
    (project / "dvc.yaml").write_text("stages: {fails: {cmd: 'false'}}")
    code = "import signal, os, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    for words in (["init", "--no-scm"], ["repro"]):
        command = [BIN / "python", "-c", code, str(BIN / "python"), "-m", "dvc", *words]
        done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    assert done.returncode != 0 and "failed to run: false" in done.stderr


@pytest.mark.skipif(not (BIN / "python").exists(), reason="needs the environment of `make env`")
def test_the_environments_dvc_finds_its_python_without_activation():
    code = "import os, shutil, sys; print(shutil.which('python'), sys.path[-1] == os.path.abspath('src'), sep='\\n')"
    variables = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [BIN / "python", "-c", code], cwd=ROOT, env=variables, check=True, capture_output=True, text=True
    )
    found, has_library = done.stdout.splitlines()
    assert Path(found) == BIN / "python"
    assert has_library == "True"


@pytest.mark.skipif(not (BIN / "python").exists(), reason="needs the environment of `make env`")
@pytest.mark.parametrize("beside", [[], ["oneshot"]])
def test_a_foreign_src_replaces_no_module(tmp_path: Path, beside: list[str]):
    for name in ("json", "numpy"):
        (tmp_path / f"src/{name}").mkdir(parents=True)
        (tmp_path / f"src/{name}/__init__.py").write_text("raise SystemExit('foreign')")
    for name in beside:
        (tmp_path / f"src/{name}").mkdir()
    subprocess.run([BIN / "python", "-c", "import json, numpy"], cwd=tmp_path, check=True)


def test_make_alone_shows_the_targets_in_groups():
    shown = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    listed = [line.split()[1] for line in shown.splitlines() if line.startswith("  make ")]
    assert len(listed) == len(set(listed)) <= 16
    assert [line for line in shown.splitlines() if line and not line.startswith(" ")] == [
        *("Run", "Change", "Check", "Maintain"),
    ]
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY: help"))
    assert set(phony.split()[2:]) == set(listed)
