"""What a user reads after a mistake in params.yaml: one sentence, at once, before any work."""

import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import smoke

pytestmark = pytest.mark.pipeline

# The parameter, a bad value, and what the sentence has to name.
MISTAKES = [
    ("margin", -1.0, ["margin", "-1"]),
    ("margin", "wide", ["margin", "wide"]),
    ("seed", 1.5, ["seed", "1.5"]),
    ("cifar10.unseen_classes", [5, 6, 7], ["cifar10", "5"]),
    ("cifar10.unseen_classes", [6, 7, 8, 10], ["cifar10.unseen_classes", "10"]),
    ("cifar10.seen_classes", [], ["cifar10.seen_classes"]),
    ("cifar10.limit_per_class", 6000, ["cifar10", "6000"]),
    ("cifar10.validation_per_class", 5000, ["cifar10", "5000"]),
    ("mnist.unseen_digits", [4, 5, 6], ["mnist.unseen_digits", "4"]),
    ("convnet.resolution_schedule.six_class", [[32, 0]], ["convnet.resolution_schedule.six_class", "0"]),
    ("convnet.recipe.optimizer", "sgd", ["convnet.recipe.optimizer", "sgd"]),
    ("convnet.recipe.augmentation.flip", "often", ["convnet.recipe.augmentation.flip", "often"]),
    ("convnet.recipe.batch_norm", False, ["convnet.recipe", "batch_norm"]),
    ("mnist.limit_per_class", 100000, ["mnist", "100000"]),
    ("siamese.epochs", 0, ["siamese.epochs", "0"]),
    ("dense_embedding.epochs", 0, ["dense_embedding.epochs", "0"]),
    ("one_shot.draws", 0, ["one_shot.draws", "0"]),
    ("one_shot.methods", ["unit"], ["one_shot.methods", "raw"]),
    ("pictures.perplexity", 0.5, ["pictures.perplexity", "0.5"]),
    ("download.sources", ["ftp"], ["download.sources", "ftp"]),
]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without data."""
    return smoke.copy(tmp_path_factory.mktemp("bad") / "project")


@pytest.fixture
def project(untouched: Path) -> Iterator[Path]:
    """The copy; params.yaml is put back after the test."""
    yield untouched
    smoke.git(untouched, "checkout", "--quiet", "params.yaml")


def stage(project: Path, script: str = "split", *words: str) -> subprocess.CompletedProcess:
    """Run a stage script as a user would; return the finished process."""
    command = [sys.executable, f"stages/{script}.py", *words]
    return subprocess.run(command, cwd=project, env=smoke.environment(project), capture_output=True, text=True)


def sentence(done: subprocess.CompletedProcess) -> str:
    """The one line on standard error with which a stage ended."""
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def refusal(project: Path) -> str:
    """The sentence with which the stage `split` ends, run in this process, which is quicker."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ending:
        patch.chdir(project)
        patch.setattr(sys, "argv", ["stages/split.py"])
        runpy.run_path("stages/split.py", run_name="__main__")
    line = str(ending.value.code)
    assert line.startswith("error: ") and len(line.splitlines()) == 1
    return line


@pytest.mark.parametrize(("key", "value", "named"), MISTAKES, ids=[f"{key}={value}" for key, value, _ in MISTAKES])
def test_impossible_value(project: Path, key: str, value: object, named: list[str]):
    smoke.shrink(project, {key: value})
    line = refusal(project)
    assert all(word in line for word in named)
    assert not (project / "data").exists() and not (project / "metrics").exists()


def test_unknown_parameter(project: Path):
    with (project / "params.yaml").open("a") as file:
        file.write("margn: 2\n")
    assert "did you mean margin?" in sentence(stage(project))


def test_missing_parameter(project: Path):
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text("\n".join(line for line in text.splitlines() if "margin" not in line))
    assert "margin: is missing" in refusal(project)


@pytest.mark.parametrize("text", ["margin: [", "- 1\n", "", "\x00", "[" * 5000])
def test_no_parameters_at_all(project: Path, text: str):
    (project / "params.yaml").write_text(text)
    assert "params.yaml" in refusal(project)
