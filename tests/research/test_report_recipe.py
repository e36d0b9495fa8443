"""The trainings by the report's recipe and by ours: their recipes, their minutes over interruptions."""

import itertools
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import report_recipe
import study

from oneshot.convnet import net
from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10

ROOT = Path(__file__).parents[2]


def test_the_recipes_are_the_reports_and_ours(monkeypatch):
    monkeypatch.chdir(ROOT)
    tree = params.read()
    ours, report = report_recipe.recipe_of("ours", tree), report_recipe.recipe_of("report", tree)
    assert ours == params.validate(tree, study.Params).convnet.recipe_of("10-class")
    assert (report.optimizer, report.sides(), report.augmentation.rotation) == ("adam", [(32, 1)] * 20, 2.0)


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
    monkeypatch.setattr(report_recipe.files, "read_arrays", lambda folder: parts)
    save = report_recipe.TimedCheckpoint.save

    def interrupted(checkpoint, epoch, *state):
        save(checkpoint, epoch, *state)
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(report_recipe.TimedCheckpoint, "save", interrupted)
    clock = itertools.count(0, 60)  # a minute between any two looks at it
    monkeypatch.setattr(report_recipe, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(KeyboardInterrupt):
        report_recipe.train("report")
    monkeypatch.setattr(report_recipe.TimedCheckpoint, "save", save)
    for _ in range(100):  # what passes between the two does not count
        next(clock)
    report_recipe.train("report")
    found = pd.read_csv("parts/report_recipe/report.csv")
    assert found["epoch"].tolist() == found["minutes"].tolist() == list(range(1, 21))
    assert found["test_accuracy"].notna().tolist() == [False] * 19 + [True]
    assert set(found["training"]) == {"report"} and not list((tmp_path / ".checkpoints").iterdir())


def test_a_precision_that_this_machine_lacks_is_refused_before_the_data_is_read(tmp_path, monkeypatch):
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    text = (
        (ROOT / "params.yaml")
        .read_text()
        .replace("float32 ", "bfloat16 ")
        .replace("instructions: portable", "instructions: native")
    )
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    asked = []

    def refuse(precision):
        asked.append(precision)
        raise UserError("no such instructions")

    monkeypatch.setattr("oneshot.convnet.training.check_precision", refuse)
    with pytest.raises(UserError, match="no such instructions"):
        report_recipe.train("ours")
    assert asked == ["bfloat16"]
