"""Scratch copies of the project for the tests of the pipeline: nothing here touches the project's own results."""

from pathlib import Path

import pytest
from scratch import duplicate

from tools import smoke


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the small pipeline has run, results committed; not to be changed by a test."""
    return smoke.run(tmp_path_factory.mktemp("smoke") / "project")


@pytest.fixture
def branch(smoke_run: Path, tmp_path: Path) -> Path:
    """A copy of the smoke run that a test may change: with its data, its cache and its history."""
    return duplicate(smoke_run, tmp_path / "project")
