"""Without a GPU, or with a driver that lists none, one sentence, before anything is installed or run."""

import json
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest

from tools import gpu


@pytest.mark.parametrize("driver", [None, "exit 9", "true"])
def test_without_a_gpu_nothing_is_installed(driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["gpu"])
    monkeypatch.setattr(gpu, "install", lambda: pytest.fail("installed"))
    if driver:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{driver}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    with pytest.raises(SystemExit, match="error: there is no NVIDIA GPU here"):
        gpu.main()


def test_the_record_says_what_differs_and_how_long_each_stage_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With stand-ins for the runs; what the small ones showed is there if the whole one fails."""

    def run(folder: Path) -> Path:
        (folder / "provenance").mkdir(parents=True)
        (folder / "provenance/split.json").write_text('{"minutes": 0.5}')
        (folder / "metrics").mkdir()
        (folder / "metrics/split.json").write_text('{"a": 1}')
        outs = f"[{{path: a, md5: {folder.name}}}, {{path: b, md5: same}}]"
        (folder / "dvc.lock").write_text(f"stages: {{split: {{cmd: python stages/split.py, outs: {outs}}}}}")
        return folder

    monkeypatch.setattr("sys.argv", ["gpu"])
    monkeypatch.setattr(gpu, "names", lambda: ["a GPU"])
    monkeypatch.setattr(gpu, "install", lambda: None)
    monkeypatch.setattr(gpu, "RECORD", tmp_path / "gpu.json")
    monkeypatch.setattr(gpu.smoke, "run", run)
    monkeypatch.setattr(gpu.smoke, "copy", run)
    monkeypatch.setattr(gpu.smoke, "dvc", Mock(side_effect=subprocess.CalledProcessError(3, "dvc")))
    monkeypatch.setattr(gpu.compare_runs, "RECORD", run(tmp_path / "first") / "dvc.lock")
    with pytest.raises(SystemExit) as raised:
        gpu.main()
    first = json.loads((tmp_path / "gpu.json").read_text())
    assert raised.value.code == 3 and first["gpus"] == ["a GPU"]
    assert first["outputs"] == 2 and first["differ_between_two_runs"] == ["a"]
    assert first["differ_from_the_processors"] == []
    monkeypatch.setattr(gpu.smoke, "dvc", lambda *words: None)
    gpu.main()
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found == first | {"minutes": {"split": 0.5}, "metrics": {"metrics/split.json": {"a": 1}}}
