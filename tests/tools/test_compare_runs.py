"""The explanation of a run whose outputs are not the recorded ones, and by how much files differ."""

import json
from pathlib import Path

import pytest

from tests.pipeline.recorded import explain
from tools import compare_runs


def lock(code: str = "c1", rate: float = 0.1, weights: str = "w1") -> dict:
    """The content of a small dvc.lock."""
    return {
        "stages": {
            "train": {
                "deps": [{"path": "src/nets", "md5": code}],
                "params": {"params.yaml": {"net": {"rate": rate}}},
                "outs": [{"path": "models/net.h5", "md5": weights}],
            },
            "use": {
                "deps": [{"path": "models/net.h5", "md5": weights}, {"path": "metrics", "md5": weights}],
                "outs": [{"path": "features", "md5": "f1"}],
            },
            "check": {"deps": [{"path": "params.yaml", "md5": str(rate)}]},
        },
        "machine": "an old processor",
    }


def test_equal_outputs_need_no_explanation_whatever_the_code():
    assert explain(lock(), lock(), "here") == ""
    assert explain(lock(), lock(code="refactored"), "here") == ""


@pytest.mark.parametrize(
    ("changed", "named"), [(lock(code="c2", weights="w2"), "src/nets"), (lock(rate=0.2, weights="w2"), "net.rate")]
)
def test_a_stale_record_names_what_changed(changed: dict, named: str):
    text = explain(lock(), changed, "here")
    assert "1 of 2 outputs" in text and "models/net.h5" in text
    assert f"The record is stale: {named} changed" in text and "make record-hashes" in text


def test_other_bytes_from_the_same_inputs_name_both_machines():
    text = explain(lock(), lock(weights="w2"), "a new processor")
    assert "stale" not in text
    assert "a new processor here, an old processor there" in text


def test_an_output_of_only_one_of_the_two_is_listed():
    more = lock()
    more["stages"]["use"]["outs"].append({"path": "plots/more", "md5": "m"})
    assert compare_runs.differing(lock(), more) == ["plots/more"]


def test_the_largest_difference_of_numbers(tmp_path: Path):
    for name, value in (("a", 0.5), ("b", 0.75)):
        values = {"sha256": name, "test": {"accuracy": value, "loss": 1.0}}  # as in exports/
        (tmp_path / f"{name}.json").write_text(json.dumps(values))
        (tmp_path / f"{name}.csv").write_text(f"epoch,part,value\n1,training,{value}\n2,training,1\n")
    for kind in ("json", "csv"):
        assert compare_runs.largest_difference(tmp_path / f"a.{kind}", tmp_path / f"b.{kind}") == 0.25
    assert compare_runs.largest_difference(tmp_path / "a.json", tmp_path / "b.csv") is None
    assert compare_runs.largest_difference(tmp_path / "a.json", tmp_path / "gone.json") is None
