"""Ensembles of nets: which there are, and that their distances add up."""

from pathlib import Path

import ensembles
import numpy as np
import pytest
import study

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.evaluation.transforms import Task

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings() -> study.Params:
    loaded = params.load(study.Params, ROOT)
    few = {"images_per_class": 20, "draws": 5, "episodes": 30}
    return loaded.model_copy(update={"one_shot": loaded.one_shot.model_copy(update=few)})


def made_up(seed: int, settings: study.Params) -> Task:
    """A net to which each class is noise around a point of its own."""
    rng, unseen = np.random.default_rng(seed), settings.cifar10.unseen_classes
    labels, seen_labels = np.repeat(unseen, 30), np.repeat([0, 1], 40)

    def layers(of):
        sizes = {"units": 7, "linear": 7, "pooled": 5}
        return {
            name: (rng.normal(0, 1, (10, size))[of] + rng.normal(0, 2, (2, len(of), size))).astype(np.float32)
            for name, size in sizes.items()
        }

    return Task(layers(labels), labels, layers(seen_labels), seen_labels)


def test_ensembles_are_single_nets_neighbours_and_all():
    assert ensembles.groups([4, 7]) == [(4,), (7,), (4, 7)]
    assert ensembles.groups([1, 2, 3]) == [(1,), (2,), (3,), (1, 2), (2, 3), (3, 1), (1, 2, 3)]


def test_each_ensemble_has_a_row_per_setting_and_the_squared_distances_add_up(settings, monkeypatch):
    nets = {seed: made_up(seed, settings) for seed in (1, 2)}
    given, classify = [], ensembles.classify_episodes
    monkeypatch.setattr(ensembles, "classify_episodes", lambda x, *rest: given.append(x) or classify(x, *rest))
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
    np.testing.assert_array_equal(given[-3 * shots], nets[1].transformed("flip_prerelu_gap_whitened"))


def test_nets_of_other_unseen_images_are_refused():
    """The seen ones, of which statistics are, follow from the seed."""
    labels = np.array([6, 0, 7, 0])
    first, alike, other = (
        {"indices": np.array(indices), "labels": labels} for indices in ([1, 2, 3, 4], [1, 5, 3, 6], [1, 2, 4, 3])
    )
    ensembles.require_the_same_images([first, alike], [6, 7])
    with pytest.raises(UserError, match=r"limit_per_class, seeds have other unseen images"):
        ensembles.require_the_same_images([first, other], [6, 7])
