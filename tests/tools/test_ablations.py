"""The trainings of `make ablations`: their recipes, their minutes over interruptions."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oneshot.convnet import net
from oneshot.core import params
from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10
from tools import ablations

ROOT = Path(__file__).parents[2]


def test_the_recipes_are_the_reports_and_ours(monkeypatch):
    monkeypatch.chdir(ROOT)
    tree = params.read()
    ours, report = ablations.recipe_of("ours", tree), ablations.recipe_of("report", tree)
    assert ours == params.validate(tree, ablations.Params).convnet.recipe_of("10-class")
    assert (report.optimizer, report.sides(), report.augmentation.rotation) == ("adam", [(32, 1)] * 60, 2.0)
    for name, augmented in (("ours-unaugmented", ours), ("report-unaugmented", report)):
        plain = ablations.recipe_of(name, tree)
        assert plain.model_dump(exclude={"augmentation"}) == augmented.model_dump(exclude={"augmentation"})
        changed = plain.augmentation.model_dump(exclude={"fill", "interpolation"})
        assert set(changed.values()) == {0.0, "none"}


@pytest.fixture
def table(tmp_path, monkeypatch) -> Path:
    """The place of the table, in an empty folder."""
    monkeypatch.setattr(ablations, "TABLE", tmp_path / "ablations.csv")
    return tmp_path / "ablations.csv"


class Clock:
    """A clock that shows the seconds it is set to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def metrics(loss: float) -> dict[str, float]:
    return {f"{part}/{name}": loss for part in ("training", "validation") for name in ("loss", "accuracy")}


def test_a_resumed_training_counts_the_minutes_before_and_ends_after_the_epoch_that_uses_them_up(table):
    clock = Clock()
    log = ablations.Log("report", 0, 10, clock)
    clock.seconds = 120
    log.add(metrics(3.0))
    clock.seconds = 9999  # interrupted here
    log = ablations.Log("report", 1, 10, clock)
    assert log.known
    log.add(metrics(3.0))
    clock.seconds += 540
    with pytest.raises(ablations.OutOfTime):
        log.add(metrics(2.0))
    log.test(lambda: {"loss": 2.5, "accuracy": 0.5})
    stored = pd.read_csv(table)
    assert stored["minutes"].tolist() == [2, 11] and stored["epoch"].tolist() == [1, 2]
    assert stored["test_accuracy"].isna().tolist() == [True, False]

    again = ablations.Log("report", 2, 10, clock)
    again.add(metrics(3.0))
    with pytest.raises(ablations.OutOfTime):
        again.add(metrics(2.0))
    again.test(lambda: pytest.fail("the table has the test metrics of this epoch"))


def test_minutes_that_the_table_lacks_are_noticed_and_other_trainings_stay(table):
    ablations.Log("report", 0, 10).add(metrics(3.0))
    ablations.Log("ours", 0, 10).add(metrics(1.0))
    assert pd.read_csv(table)["training"].tolist() == ["ours", "report"]
    assert not ablations.Log("ours", 2, 10).known
    assert not ablations.Log("report-unaugmented", 1, 10).known


def test_more_minutes_resume_a_training_and_no_more_change_nothing(tmp_path, monkeypatch):
    """On a few made-up images, with a narrow net."""
    for name in ("stages", "recipes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "research/tables").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(net.build.__kwdefaults__, "widths", ((8, 8), (8, 8, 8)))
    monkeypatch.setitem(net.build.__kwdefaults__, "units", 12)
    images = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3)).astype(np.uint8)
    made_up = LabelledImages(images, np.arange(200, dtype=np.uint8) % 10, np.arange(200))
    parts = dict(zip(("train", "validation", "test"), np.split(np.arange(200), (120, 160)), strict=True))
    monkeypatch.setattr(cifar10, "read", lambda folder: made_up)
    monkeypatch.setattr(ablations.files, "read_arrays", lambda folder: parts)
    checked = []
    monkeypatch.setattr(ablations.inputs, "require_current", checked.append)

    def run(minutes: float) -> list[bytes]:
        monkeypatch.setattr(sys, "argv", ["ablations", "report", "--minutes", str(minutes)])
        ablations.main()
        return ablations.TABLE.read_bytes().splitlines()

    first = run(0)
    assert checked == [["split"]]
    assert run(0) == first
    row = pd.read_csv(ablations.TABLE).iloc[0]
    assert (row["training"], row["epoch"]) == ("report", 1) and 0 <= row["test_accuracy"] <= 1
    after = run(row["minutes"] + 1e-6)
    assert after[1] == first[1] and len(after) == 3
