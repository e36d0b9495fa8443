"""The table of minutes per stage."""

import json
from pathlib import Path

import minutes
import pytest
from minutes import collect


def test_a_row_per_stage_without_the_page_itself(tmp_path: Path):
    record = {"minutes": 1.5, "processor": "p", "threads": 2, "packages": {"tensorflow": "2.21.0"}, "python": "3.11.7"}
    for name in ("split", "page", "download-mnist"):
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    table = collect(tmp_path)
    assert table["stage"].tolist() == ["download-mnist", "split"]
    assert table.columns.tolist() == ["stage", "minutes", "processor", "threads", "tensorflow"]
    assert table["tensorflow"].unique().tolist() == ["2.21.0"]


def test_a_broken_record_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "provenance").mkdir()
    (tmp_path / "research").mkdir()
    (tmp_path / "provenance/split.json").write_text("{")
    monkeypatch.chdir(tmp_path / "research")
    monkeypatch.setattr("sys.argv", ["minutes"])
    with pytest.raises(SystemExit, match=r"error: \.\./provenance/split\.json is not JSON"):
        minutes.main()
    assert not list((tmp_path / "research").iterdir())
