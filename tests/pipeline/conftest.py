"""Scratch copies of the project for the tests of the pipeline: nothing here touches the project's own results."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import smoke


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the small pipeline has run, results committed; not to be changed by a test."""
    return smoke.run(tmp_path_factory.mktemp("smoke") / "project")


@pytest.fixture
def branch(smoke_run: Path, tmp_path: Path) -> Path:
    """A copy of the smoke run that a test may change: with its data, its cache and its history."""
    return duplicate(smoke_run, tmp_path / "project")


def duplicate(source: Path, target: Path) -> Path:
    """Copy a project; big files, which DVC and the stages replace and never change in place, are hard links."""

    def copy(name: str, place: str) -> None:
        (os.link if os.path.getsize(name) > 1_000_000 else shutil.copy2)(name, place)

    return shutil.copytree(source, target, copy_function=copy, symlinks=True)


@pytest.fixture
def edited(branch: Path) -> Callable[[str, object], None]:
    """Set one leaf of the copy's params.yaml."""
    return lambda key, value: smoke.shrink(branch, {key: value})
