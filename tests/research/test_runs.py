"""Tables of runs: seeds and margins, whatever one_shot in params.yaml asks for."""

import pandas as pd
import pipeline
import pytest
import runs

from oneshot.core.errors import UserError
from oneshot.core.files import write_json
from oneshot.nets.table import SIAMESE


def run(shots: int, seed: int = 3) -> dict:
    one_shot = {"unseen": {f"shot_{shots}": {"accuracy": 0.6}}}
    metrics = {f"train_siamese/{net}": {part: {"test": {"auc": 0.9}} for part in ("seen", "unseen")} for net in SIAMESE}
    metrics |= {f"one_shot_mnist/{net}": one_shot for net in SIAMESE}
    return {"seed": seed, "margin": 2.0, "metrics": metrics}


@pytest.mark.parametrize("shots", [1, 5])
def test_a_margin_has_a_row_per_siamese_net_with_the_fewest_examples_there_are(shots: int):
    rows = runs.of_margin(run(shots))
    assert [row["net"] for row in rows] == list(SIAMESE)
    assert {(row["margin"], row["shots"], row["unseen_accuracy"]) for row in rows} == {(2.0, shots, 0.6)}


def test_the_row_of_a_seed_leaves_out_what_was_not_measured():
    row = runs.of_seed(run(5))
    assert row["seed"] == 3 and row["siamese-2d, unseen digits, 5-shot"] == 0.6
    assert "siamese-2d, unseen digits, 1-shot" not in row


def test_the_tables_are_written_from_folders_of_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in (2, 1):
        write_json(f"runs/default-{seed}/metrics.json", run(1, seed))
    for table in ("seeds", "sweep"):
        monkeypatch.setattr("sys.argv", ["runs", table, "runs/default-2", "runs/default-1"])
        runs.study.main("", runs.collect)
    assert pd.read_csv("tables/seeds.csv")["seed"].tolist() == [1, 2]
    assert len(pd.read_csv("tables/sweep.csv")) == 2 * len(SIAMESE)


def test_settings_change_parameters_and_add_none():
    tree = {"seed": 1, "g": {"x": [1]}}
    assert pipeline.change(tree, ["seed=2", "g.x=[3, 4]"]) == {"seed": 2, "g": {"x": [3, 4]}}
    with pytest.raises(UserError, match=r"params.yaml has no 'g\.y'"):
        pipeline.change(tree, ["g.y=1"])
    assert all("=" in word for word in pipeline.settings_of("thorough")) and pipeline.settings_of("default") == []
