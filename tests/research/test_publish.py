"""What the page gets of the studies."""

import json
from pathlib import Path

import publish
import pytest

from oneshot.core.errors import UserError


def test_minutes_have_a_row_per_stage_without_the_page_itself(tmp_path: Path):
    record = {"minutes": 1.5, "processor": "p", "threads": 2, "packages": {"tensorflow": "2.21.0"}, "python": "3.11.7"}
    for name in ("split", "page", "download-mnist"):
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    table = publish.minutes(tmp_path)
    assert table["stage"].tolist() == ["download-mnist", "split"]
    assert table.columns.tolist() == ["stage", "minutes", "processor", "threads", "tensorflow"]
    assert table["tensorflow"].unique().tolist() == ["2.21.0"]


def test_a_broken_record_is_a_users_mistake(tmp_path: Path):
    (tmp_path / "split.json").write_text("{")
    with pytest.raises(UserError, match=r"split\.json is not JSON"):
        publish.minutes(tmp_path)


def test_what_is_only_in_another_cache_leaves_a_table_up_to_date():
    elsewhere = {"changed outs": {"runs/default-1": "deleted", "runs/default-2": "not in cache"}}
    assert not publish.outdated({}) and not publish.outdated({"run@default-1": [elsewhere]})
    for change in ({"changed deps": {"study.py": "modified"}}, {"changed outs": {"tables/seeds.csv": "modified"}}):
        assert publish.outdated({"run@default-1": [elsewhere], "seeds": [change]})
    assert publish.outdated({"run@default-4": [elsewhere, "changed command"]})
