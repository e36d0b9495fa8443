"""The trainings of the ablations: their recipes, their minutes over interruptions."""

import shutil
from pathlib import Path

import ablations
import numpy as np
import pandas as pd
import pytest

from oneshot.convnet import net
from oneshot.core import params
from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10

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


class Clock:
    """A clock that shows the seconds it is set to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def metrics(loss: float) -> dict[str, float]:
    return {f"{part}/{name}": loss for part in ("training", "validation") for name in ("loss", "accuracy")}


def test_a_resumed_training_counts_the_minutes_before_and_ends_after_the_epoch_that_uses_them_up(tmp_path):
    clock, path = Clock(), tmp_path / "log.csv"
    log = ablations.Log(path, 0, 10, clock)
    clock.seconds = 120
    log.add(metrics(3.0))
    clock.seconds = 9999  # interrupted here
    log = ablations.Log(path, 1, 10, clock)
    assert log.known
    log.add(metrics(3.0))
    clock.seconds += 540
    with pytest.raises(ablations.OutOfTime):
        log.add(metrics(2.0))
    stored = pd.read_csv(path)
    assert stored["minutes"].tolist() == [2, 11] and stored["epoch"].tolist() == [1, 2]


def test_minutes_that_the_file_lacks_are_noticed(tmp_path):
    path = tmp_path / "log.csv"
    ablations.Log(path, 0, 10).add(metrics(3.0))
    assert ablations.Log(path, 1, 10).known
    assert not ablations.Log(path, 2, 10).known
    assert not ablations.Log(tmp_path / "none.csv", 1, 10).known


def test_an_interrupted_training_resumes_and_counts_its_epochs(tmp_path, monkeypatch):
    """On a few made-up images, with a narrow net."""
    for name in ("stages", "recipes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(net.build.__kwdefaults__, "widths", ((8, 8), (8, 8, 8)))
    monkeypatch.setitem(net.build.__kwdefaults__, "units", 12)
    images = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3)).astype(np.uint8)
    made_up = LabelledImages(images, np.arange(200, dtype=np.uint8) % 10, np.arange(200))
    parts = dict(zip(("train", "validation", "test"), np.split(np.arange(200), (120, 160)), strict=True))
    monkeypatch.setattr(cifar10, "read", lambda folder: made_up)
    monkeypatch.setattr(ablations.files, "read_arrays", lambda folder: parts)
    add = ablations.Log.add

    def interrupted(log, found):
        add(log, found)
        if len(log.rows) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ablations.Log, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ablations.train("report", 60)
    before = pd.read_csv(".checkpoints/ablation-report.csv")
    monkeypatch.setattr(ablations.Log, "add", add)
    ablations.train("report", 0)
    after = pd.read_csv("parts/ablations/report.csv")
    assert before["epoch"].tolist() == [1, 2] and len(after) <= 2
    assert after["minutes"].tolist() == before["minutes"].tolist()[: len(after)]
    assert after["test_accuracy"].notna().tolist()[-1] and set(after["training"]) == {"report"}
    assert not list((tmp_path / ".checkpoints").iterdir())
