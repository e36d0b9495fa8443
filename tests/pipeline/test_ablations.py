"""`make ablations` on the small data: a training stops when its minutes are used up, and resumes with more."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tools import smoke

pytestmark = pytest.mark.pipeline


def test_more_minutes_resume_a_training_and_no_more_change_nothing(branch: Path):
    def run(minutes: str) -> bytes:
        command = [sys.executable, "-m", "tools.ablations", "report", "--minutes", minutes]
        subprocess.run(command, cwd=branch, env=smoke.environment(branch), check=True)
        return (branch / "docs/ablations.csv").read_bytes()

    first = run("0")
    assert run("0") == first
    row = pd.read_csv(branch / "docs/ablations.csv").iloc[0]
    assert (row["training"], row["epoch"]) == ("report", 1) and 0 < row["test_accuracy"] < 1
    after = run(f"{row['minutes'] + 1e-6}")
    assert after.splitlines()[1] == first.splitlines()[1] and len(after.splitlines()) == 3
