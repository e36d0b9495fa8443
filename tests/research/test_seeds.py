"""Trainings with several seeds and margins: their rows and tables, whatever one_shot in params.yaml asks for."""

import contextlib

import pandas as pd
import pipeline
import pytest
import seeds
import sweep

from oneshot.core.errors import UserError
from oneshot.nets.table import SIAMESE


def metrics(shots: int) -> dict[str, dict]:
    one_shot = {"unseen": {f"shot_{shots}": {"accuracy": 0.6}}}
    found = {f"train_siamese/{net}": {part: {"test": {"auc": 0.9}} for part in ("seen", "unseen")} for net in SIAMESE}
    return found | {f"one_shot_mnist/{net}": one_shot for net in SIAMESE}


@pytest.mark.parametrize("shots", [1, 5])
def test_a_margin_has_a_row_per_siamese_net_with_the_fewest_examples_there_are(shots: int):
    rows = sweep.rows(2.0, metrics(shots))
    assert rows["net"].tolist() == list(SIAMESE)
    assert rows[["margin", "shots", "unseen_accuracy"]].drop_duplicates().to_numpy().tolist() == [[2.0, shots, 0.6]]


def test_a_row_leaves_out_what_was_not_measured():
    row = seeds.row(metrics(5))
    assert row["siamese-2d, unseen digits, 5-shot"] == 0.6
    assert "siamese-2d, unseen digits, 1-shot" not in row


def test_a_training_has_one_row_of_both_nets_and_keeps_its_features(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "copy"
    (copy / "features/6-class").mkdir(parents=True)
    (copy / "features/6-class/units.npy").write_bytes(b"features")
    accuracy = {"test": {"accuracy": 0.9, "loss": 0.3}}

    @contextlib.contextmanager
    def run(recipe, setting, *targets):
        assert (recipe, setting) in (("default", "seed=2"), ("thorough", "seed=1"))
        yield copy, {f"train_convnet/{net}": accuracy for net, known in seeds.TARGETS.items() if known == targets}

    monkeypatch.setattr(pipeline, "run", run)
    for training, net in (("default-2", "6-class"), ("default-2", "10-class"), ("thorough-1", "6-class")):
        seeds.one(training, net)
    seeds.collect()
    table = pd.read_csv("tables/seeds.csv").set_index("seed")
    assert table.loc[2, ["6-class net, test accuracy", "10-class net, test accuracy"]].tolist() == [0.9, 0.9]
    assert pd.read_csv("tables/seeds_thorough.csv")["10-class net, test accuracy"].isna().all()
    assert (tmp_path / "runs/default-2/units.npy").read_bytes() == b"features"


def test_settings_change_parameters_and_add_none():
    tree = {"seed": 1, "g": {"x": [1]}}
    assert pipeline.change(tree, ["seed=2", "g.x=[3, 4]"]) == {"seed": 2, "g": {"x": [3, 4]}}
    with pytest.raises(UserError, match=r"params.yaml has no 'g\.y'"):
        pipeline.change(tree, ["g.y=1"])
    assert all("=" in word for word in pipeline.settings_of("thorough")) and pipeline.settings_of("default") == []
