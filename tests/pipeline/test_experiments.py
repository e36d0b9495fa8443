"""Experiments as users of DVC run them, in a clone that has the cache: queued, in a temporary copy, shown, applied."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.scratch import dvc, ran
from tools import experiments, smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]


def draws(folder: Path) -> dict[str, int]:
    """The draws of every experiment that `dvc exp show` lists, by the experiment's name."""
    table = json.loads(dvc(folder, "exp", "show", "--json"))
    return {
        experiment["name"]: experiment["revs"][0]["data"]["params"]["params.yaml"]["data"]["one_shot"]["draws"]
        for commit in table
        for experiment in commit.get("experiments") or []
    }


def test_queued_experiments_run_side_by_side_and_leave_the_workspace_alone(
    branch: Path, monkeypatch: pytest.MonkeyPatch
):
    before = (branch / "metrics/one_shot_cifar10.json").read_bytes()
    for name, count in (("few", 4), ("many", 6)):
        dvc(branch, "exp", "run", "--queue", "--name", name, "-S", f"one_shot.draws={count}")
    dvc(branch, "queue", "start", "--jobs", "2")
    assert dict(experiments.ends(["few", "many"], branch)) == {"few": "Success", "many": "Success"}
    assert draws(branch) == {"few": 4, "many": 6}
    assert (branch / "metrics/one_shot_cifar10.json").read_bytes() == before
    assert smoke.git(branch, "status", "--porcelain") == ""

    monkeypatch.chdir(branch)
    assert 0 < experiments.stored("few", "metrics/one_shot_cifar10.json")["report_protocol"]["accuracy"] < 1
    with pytest.raises(SystemExit, match="the experiment lost of this commit has no result"):
        experiments.stored("lost", "metrics/one_shot_cifar10.json")

    changed = json.loads(dvc(branch, "exp", "diff", "few", "many", "--json"))
    assert changed["params"]["params.yaml"] == {"one_shot.draws": {"old": 4, "new": 6, "diff": 2}}
    dvc(branch, "exp", "apply", "many")
    assert "draws: 6" in (branch / "params.yaml").read_text()
    assert "Data and pipelines are up to date" in dvc(branch, "repro")


def test_a_temporary_experiment_leaves_the_workspace_alone(branch: Path):
    output = dvc(branch, "exp", "run", "--temp", "--name", "aside", "-S", "one_shot.draws=5")
    assert ran(output) == ["check_params", "draw_pictures", "one_shot_cifar10", "page"]
    assert "aside" in dvc(branch, "exp", "list", "--name-only")
    assert smoke.git(branch, "status", "--porcelain") == ""


def test_two_repros_at_once_do_not_disturb_each_other(branch: Path):
    """DVC's lock makes one wait or refuses it; afterwards everything is up to date, as if they had run in turn."""
    smoke.shrink(branch, {"one_shot.draws": 5})
    command = [sys.executable, "-m", "dvc", "repro"]
    options = {"cwd": branch, "env": smoke.environment(branch), "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    both = [subprocess.Popen(command, text=True, **options) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes
    refused = [output for output, code in zip(outputs, codes, strict=True) if code]
    assert all("lock" in output for output in refused), refused
    assert "Data and pipelines are up to date" in dvc(branch, "repro")
