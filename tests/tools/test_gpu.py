"""Without a GPU, or with a driver that lists none, one sentence, before anything is installed or run."""

from pathlib import Path

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
    """With stand-ins for the runs."""

    def run(folder: Path) -> Path:
        (folder / "provenance").mkdir(parents=True)
        (folder / "provenance/split.json").write_text('{"minutes": 0.5}')
        (folder / "metrics").mkdir()
        (folder / "metrics/split.json").write_text('{"a": 1}')
        outs = f"[{{path: a, md5: {folder.name}}}, {{path: b, md5: same}}]"
        (folder / "dvc.lock").write_text(f"stages: {{split: {{cmd: python stages/split.py, outs: {outs}}}}}")
        return folder

    monkeypatch.setattr(gpu.smoke, "run", run)
    monkeypatch.setattr(gpu.smoke, "copy", run)
    monkeypatch.setattr(gpu.smoke, "dvc", lambda *words: None)
    monkeypatch.setattr(gpu.compare_runs, "RECORD", run(tmp_path / "first") / "dvc.lock")
    (tmp_path / "scratch").mkdir()
    found = gpu.measure(tmp_path / "scratch")
    assert found["outputs"] == 2 and found["differ_between_two_runs"] == ["a"]
    assert found["differ_from_the_processors"] == []
    assert found["minutes"] == {"split": 0.5} and found["metrics"] == {"metrics/split.json": {"a": 1}}
