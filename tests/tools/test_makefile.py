"""How `make` sets up the environment: again if its folder has moved, with any settings of pip, and for dvc."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv/bin"


def planned(folder: Path) -> str:
    """What `make env` would do in a folder."""
    done = subprocess.run(["make", "-n", "env"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an environment that claims to be complete."""
    for name in ("Makefile", "requirements.lock"):
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
    plan = planned(project)
    # A user's PIP_USER=1 would make pip install outside of the environment, which it then refuses.
    assert "creating .venv" in plan and "PIP_USER=0" in plan


@pytest.mark.skipif(not (BIN / "python").exists(), reason="needs the environment of `make env`")
def test_the_environments_dvc_finds_its_python_without_activation():
    code = "import os, shutil, sys; print(shutil.which('python'), sys.path[1] == os.path.abspath('src'), sep='\\n')"
    variables = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [BIN / "python", "-c", code], cwd=ROOT, env=variables, check=True, capture_output=True, text=True
    )
    found, has_library = done.stdout.splitlines()
    assert Path(found) == BIN / "python"
    assert has_library == "True"
