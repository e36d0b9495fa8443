"""The narrow nets: their folds, and that a finished one is kept, but not read in place of another."""

from pathlib import Path

import narrow
import numpy as np
import pandas as pd
import pytest
import study
import trainings
from narrow import ANIMALS, VEHICLES

from oneshot.core import params
from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings() -> study.Params:
    loaded = params.validate(params.read(ROOT), study.Params)
    return loaded.model_copy(update={"cifar10": loaded.cifar10.model_copy(update={"validation_per_class": 8})})


def test_a_net_is_trained_on_a_vehicle_and_two_animals_and_the_others_are_held_out():
    for name, (trained, held_out) in narrow.folds().items():
        assert name == f"{trained[0]}-{trained[1]}{trained[2]}"
        assert sorted(trained + held_out) == sorted(VEHICLES + ANIMALS)
        assert all(len(set(part) & set(VEHICLES)) == 1 for part in (trained, held_out))
    chosen = [trained for trained, _ in narrow.folds().values()]
    assert len({tuple(trained[1:]) for trained in chosen}) == 6
    assert [trained[0] for trained in chosen].count(0) == 3


def test_finished_nets_are_kept_until_the_table_is_written_and_not_read_for_other_ones(tmp_path, monkeypatch, settings):
    """On a few made-up images."""
    from oneshot.convnet import training

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(narrow, "WIDTHS", ((4, 4), (4, 4, 8)))
    monkeypatch.setattr(cifar10, "TRAINING", 240)
    images = np.random.default_rng(0).integers(0, 256, (240, 32, 32, 3)).astype(np.uint8)
    monkeypatch.setattr(cifar10, "read", lambda folder: LabelledImages(images, np.arange(240) % 6, np.arange(240)))
    train, validation, seen, held_out = narrow.photographs(*narrow.folds()["0-23"], settings)
    assert set(train.labels) == {0, 1, 2} and set(seen.labels) == {0, 2, 3} and set(held_out.labels) == {1, 4, 5}
    epochs, average = [], training.average_over
    monkeypatch.setattr(training, "average_over", lambda *given, **known: epochs.append(1) or average(*given, **known))

    def represented(units: int, penalty: float) -> np.ndarray:
        monkeypatch.setattr(narrow, "UNITS", units)
        model, recipe = narrow.build(train, settings, {"feature_norm_penalty": penalty}, epochs=1)
        scratch = study.scratch("choice", "0-23-1") / str(penalty)
        trainings.fit("convnet", model, train, validation, recipe, settings, scratch)
        return narrow.represent(model, seen, held_out).unseen["linear"]

    plain, penalised = represented(6, 0.0), represented(6, 3.0)
    assert plain.shape[-1] == 6 and not np.array_equal(plain, penalised)
    np.testing.assert_array_equal(represented(6, 0.0), plain)
    np.testing.assert_array_equal(represented(6, 3.0), penalised)
    assert len(epochs) == 2
    assert represented(7, 0.0).shape[-1] == 7 and len(epochs) == 3
    study.write_part("choice", "0-23-1", pd.DataFrame({"accuracy": [0.5]}))
    assert not study.scratch("choice", "0-23-1").exists()


def test_another_precision_is_not_dropped(monkeypatch, settings):
    asked = []

    def refuse(precision):
        asked.append(precision)
        raise InterruptedError

    monkeypatch.setattr("oneshot.convnet.training.check_precision", refuse)
    compute = settings.compute.model_copy(update={"precision": "bfloat16"})
    images = LabelledImages(np.zeros((6, 32, 32, 3), np.uint8), np.arange(6), np.arange(6))
    with pytest.raises(InterruptedError):
        narrow.build(images, settings.model_copy(update={"compute": compute}), {})
    assert asked == ["bfloat16"]
