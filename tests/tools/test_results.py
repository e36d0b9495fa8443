"""The generated tables: every number is from the stored results, and stale tables are noticed."""

import json
from pathlib import Path

import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml

from oneshot.page import reported
from tools import results

ROOT = Path(__file__).parents[2]


def metrics_of(value: float) -> dict[str, dict]:
    """Metrics in which every row of the table is `value`."""
    trees: dict[str, dict] = {}
    for file, key, _, _ in results.ROWS.values():
        *groups, leaf = key.split(".")
        branch = trees.setdefault(file, {})
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[leaf] = value
    return trees


def test_a_row_has_the_reports_value_the_stored_one_and_the_mean():
    seeds = pd.DataFrame(
        [("10-class net, test accuracy", 0.81, 0.02, 3)], columns=["metric", "mean", "deviation", "trainings"]
    )
    lines = results.results_table(metrics_of(0.5), seeds, results.HEADLINES).splitlines()
    assert len(lines) == 2 + 4
    assert lines[2].endswith("| 0.870 | 0.500 | 0.810 +/- 0.020 (3) |")
    assert "| 0.604 | 0.500 |  |" in lines[4]


def test_one_training_has_no_deviation_and_what_was_not_measured_no_row():
    seeds = pd.DataFrame(
        [("10-class net, test accuracy", 0.81, float("nan"), 1)], columns=["metric", "mean", "deviation", "trainings"]
    )
    metrics = metrics_of(0.5)
    del metrics["one_shot_cifar10"]["report_protocol"]
    lines = results.results_table(metrics, seeds, results.HEADLINES).splitlines()
    assert lines[2].endswith("| 0.870 | 0.500 | 0.810 (1) |")
    assert len(lines) == 2 + 3


def test_a_table_that_was_not_measured_says_so():
    for make, name in ((results.ceilings_table, "ceilings"), (results.ablations_table, "ablations")):
        assert (
            make(pd.read_csv(ROOT / f"docs/{name}.csv").head(0)) == f"Not measured yet: `make {name}` makes this table."
        )


def test_confusions_are_those_of_the_table():
    names = ["1", "4", "7", "9"]
    counts = {("4", "9"): 6, ("9", "4"): 2, ("1", "7"): 1, ("1", "9"): 1}
    rows = [(p, r, 5 if p == r else counts.get((p, r), 0), "all", 1) for p in names for r in names]
    table = pd.DataFrame(rows, columns=["predicted", "reference", "count", "part", "shots"])
    last = results.confusions_table({"net": table}).splitlines()[-1]
    assert last == "| net | 4 with 9 (80%) | 1 with 7 (10%) | 80% | 10% |"
    assert reported.CONFUSED_DIGITS == ((4, 9), (1, 7))


def test_every_stage_of_dvc_yaml_has_a_row():
    pipeline = load_yaml(str(ROOT / "dvc.yaml"))
    text = results.stages_table(pipeline)
    assert all(f"| `{name}` |" in text for name in pipeline["stages"])
    assert "10-class, 6-class" in text and "siamese-2d, siamese-3d" in text


def test_filling_replaces_what_stands_between_the_comments():
    text = "a\n<!-- t -->\nold\n<!-- /t -->\nb\n"
    filled = results.fill(text, {"t": "new"})
    assert filled == "a\n<!-- t -->\nnew\n<!-- /t -->\nb\n"
    assert results.fill(filled, {"t": "new"}) == filled
    with pytest.raises(ValueError, match="<!-- u -->"):
        results.fill(text, {"u": "new"})


def test_the_texts_are_up_to_date_and_every_row_is_stored():
    assert all(path.read_text(encoding="utf-8") == text for path, text in results.generate().items())
    for file, key, _, _ in results.ROWS.values():
        value = json.loads((ROOT / f"metrics/{file}.json").read_text())
        for part in key.split("."):
            value = value[part]
        assert 0 < value < 3
