"""Ensembles of nets: which there are, and that their distances add up."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dvc_data.index import DataIndexDirError

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.evaluation.transforms import represent
from tools import ensembles
from tools.ensembles import Features, Params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings() -> Params:
    loaded = params.load(Params, ROOT)
    few = {"images_per_class": 20, "draws": 5, "episodes": 30}
    return loaded.model_copy(update={"one_shot": loaded.one_shot.model_copy(update=few)})


def made_up(seed: int, settings: Params) -> Features:
    """A net to which each class is noise around a point of its own."""
    rng, unseen = np.random.default_rng(seed), settings.cifar10.unseen_classes
    labels, seen_labels = np.repeat(unseen, 30), np.repeat([0, 1], 40)

    def layers(of):
        sizes = {"units": 7, "linear": 7, "pooled": 5}
        return {
            name: (rng.normal(0, 1, (10, size))[of] + rng.normal(0, 2, (2, len(of), size))).astype(np.float32)
            for name, size in sizes.items()
        }

    return Features(layers(labels), layers(seen_labels), seen_labels, labels, np.arange(len(labels)))


def test_ensembles_are_single_nets_neighbours_and_all():
    assert ensembles.groups([4, 7]) == [(4,), (7,), (4, 7)]
    assert ensembles.groups([1, 2, 3]) == [(1,), (2,), (3,), (1, 2), (2, 3), (3, 1), (1, 2, 3)]


def test_each_ensemble_has_a_row_per_setting_and_the_squared_distances_add_up(settings, monkeypatch):
    nets = {seed: made_up(seed, settings) for seed in (1, 2)}
    given, evaluate = [], ensembles.evaluate
    monkeypatch.setattr(ensembles, "evaluate", lambda x, *rest: given.append(x) or evaluate(x, *rest))
    found = ensembles.rows(nets, settings)
    shots = len(settings.one_shot.shots)
    assert len(found) == 3 * (1 + 3 * shots)
    assert len({(row["seeds"], row["setting"]) for row in found}) == len(found)
    assert {row["nets"] for row in found if row["seeds"] == "1 2"} == {2}
    assert all(0.25 < row["accuracy"] < 1 for row in found)

    def squares(x):
        return ((x[0] - x[1:].astype(float)) ** 2).sum(axis=1)

    # The draws of one size stand side by side: each net, then both, method by method.
    one, two, both = (squares(x) for x in given[:: 1 if shots == 1 else shots][-3:])
    np.testing.assert_allclose(both, one + two, rtol=1e-4)
    net = nets[1]
    alone = represent("mirror_both_whitened", net.unseen, net.seen, net.seen_labels)
    np.testing.assert_array_equal(given[-3 * shots], alone)


LOCK = """
stages:
  extract_features:
    cmd: python stages/extract_features.py
    deps: [{path: src, md5: %s}]
    params: {params.yaml: {seed: %d, margin: %s}}
    outs: [{path: features/6-class, md5: a}]
  one_shot_cifar10:
    cmd: python stages/one_shot_cifar10.py
    deps: [{path: features/6-class, md5: a}, {path: src, md5: code}]
    params: {params.yaml: {seed: 1, margin: 1.0}}
    outs: [{path: metrics/one_shot_cifar10.json, md5: b}]
"""


@pytest.mark.parametrize(
    ("settings", "code", "seed", "margin", "same"),
    [
        ([], "code", 2, 1.0, True),
        (["margin=3.0"], "code", 2, 3.0, True),
        ([], "code", 2, 3.0, False),
        (["margin=3.0"], "code", 2, 1.0, False),
        ([], "old code", 2, 1.0, False),
        ([], "code", 3, 1.0, False),
    ],
)
def test_an_experiment_of_other_inputs_is_refused(tmp_path, monkeypatch, settings, code, seed, margin, same):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.lock").write_text(LOCK % ("code", 1, 1.0))
    (tmp_path / "params.yaml").write_text("seed: 1\nmargin: 1.0\n")
    monkeypatch.setattr(ensembles, "revision", lambda name: name)
    monkeypatch.setattr(ensembles.dvc.api, "read", lambda path, rev: LOCK % (code, seed, margin))
    if same:
        ensembles.check("features-2", 2, settings)
        return
    with pytest.raises(UserError, match="features-2 ran another seed, code, parameters or data than asked for"):
        ensembles.check("features-2", 2, settings)


def test_rows_of_other_inputs_or_of_a_recipe_that_is_gone_are_not_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.lock").write_text(LOCK % ("code", 1, 1.0))
    (tmp_path / "params.yaml").write_text("seed: 1\nmargin: 1.0\n")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/wide").write_text("-S margin=3.0\n")

    def made(recipe, settings):
        found = ensembles._inputs(ensembles.METRICS, settings)
        return pd.DataFrame({"recipe": [recipe], "inputs": [found]})

    assert ensembles.is_current(made("default", []))
    assert ensembles.is_current(made("wide", ["margin=3.0"]))
    assert capsys.readouterr().out == ""
    for recipe, settings in (("default", ["margin=3.0"]), ("wide", []), ("gone", [])):
        assert not ensembles.is_current(made(recipe, settings))
        assert f"ensembles: the rows of {recipe} are removed" in capsys.readouterr().out


def test_features_that_are_no_longer_in_the_cache_are_named(monkeypatch):
    class Emptied:
        def __init__(self, *_, **__):
            pass

        def get(self, *_, **__):
            raise DataIndexDirError("failed to load directory")

    monkeypatch.setattr(ensembles, "revision", lambda name: name)
    monkeypatch.setattr(ensembles, "DVCFileSystem", Emptied)
    with pytest.raises(UserError, match="that the experiment default-features-2 made are no longer in DVC's cache"):
        ensembles.read("default-features-2", [6, 7])


def test_a_limit_of_images_is_refused_before_any_training(settings, monkeypatch):
    limited = settings.model_copy(update={"cifar10": settings.cifar10.model_copy(update={"limit_per_class": 100})})
    monkeypatch.setattr(sys, "argv", ["ensembles", "1", "2"])
    monkeypatch.setattr(ensembles.params, "load", lambda schema: limited)
    monkeypatch.setattr(ensembles, "run", lambda *_: pytest.fail("it trains"))
    with pytest.raises(SystemExit, match=r"^error: with cifar10\.limit_per_class"):
        ensembles.main()


def test_nets_of_other_images_are_refused(settings):
    first, second = (made_up(seed, settings) for seed in (1, 2))
    with pytest.raises(UserError, match=r"limit_per_class, seeds have other unseen images"):
        ensembles.rows({1: first, 2: second._replace(indices=second.indices + 1)}, settings)
