"""The narrow nets of the folds are kept, and those of other widths or units are not read in their place."""

from pathlib import Path

import folds
import numpy as np
import pytest
import study

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10

ROOT = Path(__file__).parents[2]


def test_a_net_of_other_units_is_trained_and_the_first_one_kept(tmp_path, monkeypatch):
    """On a few made-up images."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folds, "SCRATCH", tmp_path / "folds")
    monkeypatch.setattr(folds, "WIDTHS", ((4, 4), (4, 4, 8)))
    monkeypatch.setattr(cifar10, "TRAINING", 240)
    images = np.random.default_rng(0).integers(0, 256, (240, 32, 32, 3)).astype(np.uint8)
    data = LabelledImages(images, np.arange(240) % 6, np.arange(240))
    settings = params.validate(params.read(ROOT), study.Params)
    few = settings.model_copy(update={"cifar10": settings.cifar10.model_copy(update={"validation_per_class": 8})})

    def trained(units):
        monkeypatch.setattr(folds, "UNITS", units)
        found = folds.features_of("0-23", data, few, {"resolution_schedule": [(16, 1)]})
        return found.unseen["linear"]

    first = trained(6)
    assert first.shape[-1] == 6 and trained(7).shape[-1] == 7
    assert len(list(folds.SCRATCH.glob("*.weights.h5"))) == 2
    np.testing.assert_array_equal(trained(6), first)


def test_another_precision_is_not_dropped(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(folds, "SCRATCH", tmp_path / "folds")
    settings = params.validate(params.read(ROOT), study.Params)
    compute = settings.compute.model_copy(update={"precision": "bfloat16"})

    def refuse(precision):
        asked.append(precision)
        raise InterruptedError

    monkeypatch.setattr("oneshot.convnet.training.check_precision", refuse)
    images = LabelledImages(np.zeros((60_000, 1), np.uint8), np.arange(60_000) % 10, np.arange(60_000))
    with pytest.raises(InterruptedError):
        folds.features_of("0-23", images, settings.model_copy(update={"compute": compute}), {})
    assert asked == ["bfloat16"]


def test_a_fold_that_is_none_is_a_users_mistake():
    images = LabelledImages(np.zeros((1, 1), np.uint8), np.arange(1), np.arange(1))
    with pytest.raises(UserError, match="there is no fold 0-99: name one of 0-23, 1-24"):
        folds.features_of("0-99", images, params.validate(params.read(ROOT), study.Params), {})
