"""`make check-stored` on a toy project: each fault is caused, and reported in its own sentence."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo

from tests.helpers.fuzz import mutated
from tools import check_stored, smoke

pytestmark = pytest.mark.pipeline

DVC_YAML = """
stages:
  make:
    cmd: python make.py
    deps: [make.py]
    params: [size]
    outs: [data]
  score:
    matrix: {net: [small, large]}
    cmd: python score.py ${item.net}
    deps: [score.py, data]
    params: [bias]
    metrics:
      - metrics/score/${item.net}.json: {cache: false}
    plots:
      - plots/${item.net}: {cache: false}
"""
MAKE = """
import pathlib, yaml
pathlib.Path("data").mkdir(exist_ok=True)
pathlib.Path("data/numbers.txt").write_text("1\\n" * yaml.safe_load(open("params.yaml"))["size"])
"""
SCORE = """
import json, pathlib, sys, yaml
net = sys.argv[1]
bias = yaml.safe_load(open("params.yaml"))["bias"]
accuracy = sum(map(int, open("data/numbers.txt"))) / 10 + bias
pathlib.Path("metrics/score").mkdir(parents=True, exist_ok=True)
pathlib.Path("plots", net).mkdir(parents=True, exist_ok=True)
pathlib.Path(f"metrics/score/{net}.json").write_text(json.dumps({"test": {"accuracy": accuracy, "loss": 1 - accuracy}}))
pathlib.Path(f"plots/{net}/curve.csv").write_text(f"step,accuracy\\n0,{accuracy}\\n")
"""
BOUNDS = {
    "metrics/score/small.json": {
        "test.accuracy": {"min": 0.5, "tolerance": 0.05},
        "test.loss": {"max": 0.5, "tolerance": 0.05},
    }
}


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=folder, check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project with its results committed, cloned: without data and without a cache."""
    folder = tmp_path_factory.mktemp("toy") / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    Repo.init(str(folder)).close()
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
    (folder / "tools").mkdir()
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "make.py").write_text(MAKE)
    (folder / "score.py").write_text(SCORE)
    (folder / "params.yaml").write_text("size: 8\nbias: 0.0\n")
    (folder / check_stored.BOUNDS).write_text(yaml.safe_dump(BOUNDS))
    run_stages(folder)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "results")
    clone = folder.with_name("clone")
    git(folder.parent, "clone", "-q", str(folder), str(clone))
    return clone


@pytest.fixture
def toy(checked: Path, tmp_path: Path) -> Path:
    return shutil.copytree(checked, tmp_path / "toy")


def run_stages(folder: Path) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=folder, check=True, env={"PATH": path})


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def edit_lock(folder: Path, change) -> None:
    lock = yaml.safe_load((folder / "dvc.lock").read_text())
    change(lock["stages"])
    (folder / "dvc.lock").write_text(yaml.safe_dump(lock))


def test_a_clone_without_data_or_cache_passes(toy: Path):
    assert not (toy / "data").exists()
    assert check_stored.find_faults(toy) == []
    assert check_stored.find_faults(toy, against="HEAD") == []


def test_a_pipeline_of_the_users_own_beside_it_is_not_checked(toy: Path):
    """As recipes/own: it has a dvc.lock of its own, once it has run."""
    (toy / "own").mkdir()
    (toy / "own/dvc.yaml").write_text("stages: {evaluate: {cmd: 'true', metrics: [{metrics.json: {cache: false}}]}}")
    assert check_stored.find_faults(toy) == []
    assert check_stored.find_faults(toy, against="HEAD") == []


def test_edited_metric(toy: Path):
    edit(toy / "metrics/score/large.json", "0.8", "0.9")
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("metrics/score/large.json, a result of score@large, is not the one recorded in dvc.lock")


def test_missing_metric(toy: Path):
    (toy / "metrics/score/large.json").unlink()
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("metrics/score/large.json, a result of score@large, is missing")


@pytest.mark.parametrize("change", ["edit", "add", "delete"])
def test_altered_plot_folder(toy: Path, change: str):
    folder = toy / "plots/large"
    if change == "edit":
        edit(folder / "curve.csv", "0.8", "0.9")
    elif change == "add":
        (folder / "more.csv").write_text("step\n")
    else:
        shutil.rmtree(folder)
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("plots/large, a result of score@large, is")


@pytest.mark.parametrize("name", ["metrics/best.json", "plots/best/curve.csv"])
def test_file_that_no_stage_declares(toy: Path, name: str):
    (toy / name).parent.mkdir(exist_ok=True)
    (toy / name).write_text("{}")
    assert check_stored.find_faults(toy) == [f"{name} is the output of no stage: declare it in dvc.yaml or delete it"]


def test_code_changed_since_the_run(toy: Path):
    edit(toy / "score.py", "/ 10", "/ 9")
    faults = check_stored.find_faults(toy)
    assert [fault.split(",")[0] for fault in faults] == [
        "score@large depends on score.py",
        "score@small depends on score.py",
    ]
    assert all("which was modified since it was run" in fault for fault in faults)


def test_code_deleted_since_the_run(toy: Path):
    (toy / "make.py").unlink()
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("make depends on make.py, which was deleted since it was run")


def test_parameter_changed_since_the_run(toy: Path):
    edit(toy / "params.yaml", "size: 8", "size: 8.0")
    assert check_stored.find_faults(toy) == []  # the same to `dvc repro`, and so to the stages
    edit(toy / "params.yaml", "size: 8.0", "size: 9")
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("make was run with size: 8, now params.yaml says 9")


def test_parameter_new_to_a_stage(toy: Path):
    edit(toy / "dvc.yaml", "[size]", "[size, bias]")
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("make was run with bias: no value, now params.yaml says 0.0")


def test_command_changed_since_the_run(toy: Path):
    edit(toy / "dvc.yaml", "python make.py", "python -u make.py")
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("make was run by another command ('python make.py', now 'python -u make.py')")


def test_dependency_and_output_new_to_a_stage(toy: Path):
    edit(toy / "dvc.yaml", "deps: [make.py]", "deps: [make.py, score.py]")
    edit(toy / "dvc.yaml", "outs: [data]", "outs: [data, more]")
    faults = check_stored.find_faults(toy)
    assert [fault.split(":")[0] for fault in faults] == [
        "make was run without its dependency score.py",
        "make was run without its output more",
    ]


def test_stage_run_on_other_data_than_was_made(toy: Path):
    def forge(stages):
        (out,) = stages["make"]["outs"]
        out["md5"] = "0" * 32 + ".dir"

    edit_lock(toy, forge)
    faults = check_stored.find_faults(toy)
    assert [fault.split(":")[0] for fault in faults] == [
        "score@large was run on another data than the one that make made",
        "score@small was run on another data than the one that make made",
    ]


def test_stage_that_was_never_run(toy: Path):
    edit(toy / "dvc.yaml", "[small, large]", "[small, large, huge]")
    (fault,) = check_stored.find_faults(toy)
    assert fault.startswith("score@huge is a stage of dvc.yaml, but not in dvc.lock")


def test_record_of_a_stage_that_is_gone(toy: Path):
    edit_lock(toy, lambda stages: stages.update(old=stages["make"]))
    assert check_stored.find_faults(toy) == ["old is in dvc.lock, but no stage of dvc.yaml: delete it there"]


def test_metrics_out_of_bounds(toy: Path):
    edit(toy / check_stored.BOUNDS, "min: 0.5", "min: 0.81")
    edit(toy / check_stored.BOUNDS, "max: 0.5", "max: 0.1")
    accuracy, loss = check_stored.find_faults(toy)
    assert accuracy == "metrics/score/small.json: test.accuracy is 0.8, below its bound of 0.81"
    assert loss.startswith("metrics/score/small.json: test.loss is 0.1999") and loss.endswith("above its bound of 0.1")


def test_bounded_metric_that_is_gone(toy: Path):
    edit(toy / check_stored.BOUNDS, "test.accuracy", "test.precision")
    (fault,) = check_stored.find_faults(toy)
    assert "bounds test.precision of metrics/score/small.json, which has no such number" in fault


@pytest.mark.parametrize(
    "name", ["dvc.lock", "dvc.yaml", "params.yaml", "tools/metrics_bounds.yaml", "metrics/score/small.json"]
)
def test_any_bytes_in_a_file_are_a_fault_and_no_traceback(toy: Path, name: str):
    good, random = (toy / name).read_bytes(), np.random.default_rng(0)
    for _ in range(10):
        (toy / name).write_bytes(mutated(good, random))
        with contextlib.suppress(DvcException):  # of which the command makes a sentence
            assert all(len(fault.splitlines()) == 1 for fault in check_stored.find_faults(toy))
    (toy / name).write_bytes(b"\xff" + good)
    with contextlib.suppress(DvcException):
        assert check_stored.find_faults(toy)


def test_unknown_rule_and_missing_bounds(toy: Path):
    edit(toy / check_stored.BOUNDS, "min: 0.5", "minimum: 0.5")
    assert any(": test.accuracy: minimum: " in fault for fault in check_stored.find_faults(toy))
    (toy / check_stored.BOUNDS).unlink()
    assert check_stored.find_faults(toy) == [f"{check_stored.BOUNDS} is missing: the metrics have no bounds"]


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "5",
            "text",
            "[]",
            "{}",
            "null",
            "a: {}",
            "metrics/score/small.json:",
            "x: [1]",
            "a: {b: {}}",
            ": :",
            "\t",
        ),
        *(
            "metrics/score/small.json: {test.accuracy: {tolerance: 0.1}}",
            "metrics/score/small.json: {test.accuracy: 1}",
        ),
        *("metrics/score/small.json: {test.accuracy: {min: high}}", "metrics/score/small.json: {test: {min: 0}}"),
        *(
            "metrics/score/small.json: {test.accuracy: {min: true}}",
            "metrics/score/small.json: {test.accuracy: {min: }}",
        ),
        *("metrics/score/small.json: {test.accuracy: {min: .nan}}", "metrics/none.json: {test.accuracy: {min: 0}}"),
        "metrics/score/small.json: {test.accuracy: {min: 0, tolerance: -1}}",
    ],
)
def test_bounds_that_bound_nothing_are_a_fault_of_one_line(toy: Path, content: str):
    (toy / check_stored.BOUNDS).write_text(content)
    faults = check_stored.find_faults(toy)
    assert faults and all(check_stored.BOUNDS in fault and "\n" not in fault for fault in faults)


@pytest.mark.parametrize("value", ["true", "null", '"0.9"', "[0.9]", "{}", "NaN", "-Infinity", "1e999 ,"])
def test_a_metric_that_is_no_number_or_not_finite_is_a_fault(toy: Path, value: str):
    path = toy / "metrics/score/small.json"
    edit(path, json.dumps(json.loads(path.read_text())["test"]["accuracy"]), value)
    # That the file was edited is another fault.
    assert any("test.accuracy" in fault or "is not JSON" in fault for fault in check_stored.find_faults(toy))


@pytest.mark.parametrize(("size", "worse"), [(8, 0), (9, 0), (7, 2)])
def test_metrics_against_a_revision(toy: Path, size: int, worse: int):
    """Better and equal results pass; a fall of the accuracy and a rise of the loss by 0.1 are both reported."""
    edit(toy / "params.yaml", "size: 8", f"size: {size}")
    run_stages(toy)
    assert check_stored.find_faults(toy) == []
    faults = check_stored.find_faults(toy, against="HEAD")
    commit = smoke.git(toy, "rev-parse", "--short=12", "HEAD").strip()
    assert len(faults) == worse
    if worse:
        assert f"test.accuracy fell from 0.8 at {commit} to 0.7, by more than 0.05" in faults[0]
        assert "test.loss rose from 0.19" in faults[1]


def test_a_fall_within_the_tolerance_passes(toy: Path):
    edit(toy / "params.yaml", "bias: 0.0", "bias: -0.04")
    run_stages(toy)
    assert json.loads((toy / "metrics/score/small.json").read_text())["test"]["accuracy"] == pytest.approx(0.76)
    assert check_stored.find_faults(toy, against="HEAD") == []


def test_a_partial_clone_is_compared_with_a_revision_of_which_it_has_no_file(checked: Path, toy: Path, tmp_path: Path):
    """Git fetches what is missing; DVC's own readers of Git cannot, and waited for ever."""
    edit(toy / "params.yaml", "size: 8", "size: 7")
    run_stages(toy)
    git(toy, "commit", "-q", "-a", "-m", "worse")
    git(toy, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{toy}", "partial")
    faults = check_stored.find_faults(tmp_path / "partial", against="HEAD~1")
    assert len(faults) == 2 and all("fell from 0.8" in fault or "rose from 0.19" in fault for fault in faults)
    # Without the remote there is nothing to compare with, and that is said.
    shutil.rmtree(tmp_path / "partial")
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{toy}", "partial")
    toy.rename(tmp_path / "away")
    with pytest.raises(SystemExit, match=r"error: `git show` failed.*"):
        check_stored.find_faults(tmp_path / "partial", against="HEAD~1")


def test_an_archive_without_git_is_checked(toy: Path, tmp_path: Path):
    shutil.rmtree(toy / ".git")
    assert check_stored.find_faults(toy) == []
    with pytest.raises(
        SystemExit, match=r"^error: `git rev-parse` failed, but this needs the project as a clone by Git"
    ):
        check_stored.find_faults(toy, against="HEAD")


def test_a_project_of_another_user_is_checked(toy: Path):
    if os.getuid():
        pytest.skip("only root can give files away")
    for path in (toy, *toy.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    assert check_stored.find_faults(toy) == []


def test_exit_status_and_sentences(toy: Path):
    def main(*words: str) -> subprocess.CompletedProcess:
        variables = os.environ | {"PYTHONPATH": f"{smoke.ROOT}{os.pathsep}{smoke.ROOT / 'src'}"}
        command = [sys.executable, "-m", "tools.check_stored", *words]
        return subprocess.run(command, cwd=toy, env=variables, capture_output=True, text=True)

    good = main()
    assert (good.returncode, good.stderr) == (0, "")
    for revision in ("no-such-revision", "--output=x", "HEAD:dvc.yaml", "HEAD~99"):
        unknown = main(f"--against={revision}")
        assert unknown.returncode == 1
        assert unknown.stderr == f"error: there is no revision {revision} here: give a commit, a tag or a branch\n"
    empty = main("--against", "")
    assert empty.returncode == 2 and "--against: is empty" in empty.stderr
    edit(toy / "score.py", "/ 10", "/ 9")
    bad = main()
    assert bad.returncode == 1
    assert len(bad.stderr.splitlines()) == 2 and all(
        line.startswith("check-stored: ") for line in bad.stderr.splitlines()
    )
