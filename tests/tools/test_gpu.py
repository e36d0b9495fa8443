"""Without a GPU, or with a driver that lists none, one sentence, before anything is installed or run."""

import json
import subprocess
from pathlib import Path

import pytest

from tools import compare_runs, smoke


@pytest.mark.parametrize("driver", [None, "exit 9", "true"])
def test_without_a_gpu_nothing_is_installed(driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["compare_runs", "--gpu"])
    monkeypatch.setattr(compare_runs, "version", lambda package: pytest.fail("installed"))
    if driver:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{driver}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    with pytest.raises(SystemExit, match="error: there is no NVIDIA GPU here"):
        compare_runs.main()


def test_what_differs_and_how_long_each_stage_took_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """With stand-ins for the runs; what the small ones showed is printed before the whole one, which may fail."""

    def run(folder: Path, overrides: dict | None = None) -> Path:
        if overrides == {} and failing:
            raise subprocess.CalledProcessError(3, "dvc")
        (folder / "provenance").mkdir(parents=True)
        machine = {"processor": "a processor", "family": 6, "model": 1}
        (folder / "provenance/split.json").write_text(json.dumps({"minutes": 0.5} | machine))
        outs = f"[{{path: a, md5: {folder.name}}}, {{path: b, md5: same}}]"
        (folder / "dvc.lock").write_text(f"stages: {{split: {{cmd: python stages/split.py, outs: {outs}}}}}")
        return folder

    failing, installed = True, []
    monkeypatch.setattr("sys.argv", ["compare_runs", "--gpu"])
    monkeypatch.setattr(subprocess, "getstatusoutput", lambda command: (0, "a GPU"))
    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(subprocess, "run", lambda words, **options: installed.append(words) or done)
    monkeypatch.setattr(smoke, "ROOT", run(tmp_path / "stored"))
    monkeypatch.setattr(smoke, "run", run)
    with pytest.raises(SystemExit) as raised:
        compare_runs.main()
    assert raised.value.code == 3 and installed[0][-1].startswith("tensorflow[and-cuda]==")
    said = capsys.readouterr()
    assert said.out.startswith("compare-runs: on a GPU, with tensorflow")
    assert said.err == "compare-runs: a differs between two runs of the same code, parameters and data\n"
    failing = False
    with pytest.raises(SystemExit) as raised:
        compare_runs.main()
    again = capsys.readouterr()
    assert raised.value.code == 1
    assert again.out.startswith(said.out) and again.out.endswith("split: 0.5 minutes\n")
    assert "1 of 2 outputs are the same as in dvc.lock, on a processor, family 6" in again.out
    assert again.err == f"{said.err}compare-runs: a differs from the stored one\n"
