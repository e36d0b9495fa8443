"""A remote on a real server: what one clone pushed, another pulls and continues from."""

from pathlib import Path

import pytest

from tests.pipeline.scratch import duplicate, dvc, ran
from tools import smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]


def clone(source: Path, target: Path) -> Path:
    """Clone the repository, without data and cache."""
    smoke.git(source, "clone", "--quiet", str(source), str(target))
    smoke.identify(target)
    return target


def test_push_pull_and_continue(smoke_run: Path, bucket: str, tmp_path: Path):
    first = duplicate(smoke_run, tmp_path / "first")
    dvc(first, "remote", "add", "--default", "shared", "s3://shared/project")
    dvc(first, "remote", "modify", "shared", "endpointurl", bucket)
    smoke.commit(first, "a remote")
    dvc(first, "push", "--run-cache")

    second = clone(first, tmp_path / "second")
    dvc(second, "pull")
    output = dvc(second, "repro")
    assert ran(output) == [] and "Data and pipelines are up to date" in output

    third = clone(first, tmp_path / "third")
    output = dvc(third, "exp", "run", "--pull", "--allow-missing", "-S", "margin=2", "one_shot_mnist@siamese-2d")
    assert ran(output) == ["one_shot_mnist@siamese-2d", "train_siamese@siamese-2d"]
    assert not (third / "data/raw/cifar10").exists() and not (third / "models/10-class.weights.h5").exists()
