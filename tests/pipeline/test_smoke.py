"""The whole pipeline on a small part of the real data: it runs, repeats itself, and reruns only what has to."""

import json
from pathlib import Path

import h5py
import pytest
from scratch import dvc, ran

from tools import smoke, verify

pytestmark = [pytest.mark.pipeline, pytest.mark.data]

SIAMESE = ["one_shot_mnist@siamese-2d", "one_shot_mnist@siamese-3d", "report", "train_siamese@2", "train_siamese@3"]
TRAININGS_OF_DIGITS = [
    *(f"train_dense_embedding@{digits}" for digits in ("all", "seen")),
    "train_siamese@2",
    "train_siamese@3",
]


def test_every_stage_ran_and_everything_is_up_to_date(smoke_run: Path):
    assert "Data and pipelines are up to date" in dvc(smoke_run, "repro")
    assert "Data and pipelines are up to date" in dvc(smoke_run, "status")
    assert not (smoke_run / ".checkpoints").exists() or not any((smoke_run / ".checkpoints").iterdir())


def test_the_same_bytes_in_another_run(smoke_runs: tuple[Path, Path]):
    assert verify.differing(*smoke_runs) == []


@pytest.mark.parametrize(
    ("net", "count"),
    [
        ("10-class", 16_720_310),
        ("6-class", 16_717_906),
        ("siamese-2d", 39_426),
        ("dense-all", 43_872),
    ],
)
def test_parameters_in_the_saved_weights(smoke_run: Path, net: str, count: int):
    sizes = []
    with h5py.File(smoke_run / f"models/{net}.weights.h5") as file:
        file.visititems(lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
    assert sum(sizes) == count


def test_margin_reruns_the_siamese_branch_and_the_diff_shows_it(branch: Path):
    assert ran(dvc(branch, "exp", "run", "-S", "margin=2")) == SIAMESE
    changed = json.loads(dvc(branch, "metrics", "diff", "--json"))
    assert {Path(name).as_posix() for name in changed} == {
        "metrics/train_siamese/2d.json",
        "metrics/train_siamese/3d.json",
        "metrics/one_shot_mnist/siamese-2d.json",
        "metrics/one_shot_mnist/siamese-3d.json",
    }


def test_a_parameter_changed_back_is_served_from_the_run_cache(branch: Path):
    before = verify.hashes(branch)
    smoke.shrink(branch, {"one_shot.draws": 5})
    assert ran(dvc(branch, "repro")) == ["one_shot_cifar10", "report"]
    assert verify.hashes(branch) != before
    smoke.shrink(branch, {"one_shot.draws": smoke.OVERRIDES["one_shot.draws"]})
    output = dvc(branch, "repro")
    assert ran(output) == [] and output.count("is cached - skipping run") == 2
    assert verify.hashes(branch) == before


def test_what_a_split_left_as_it_was_trains_nothing(branch: Path):
    """The digits' split is another, so the digit nets are stale, and the page, which tells the parameters.

    That of CIFAR-10 is the same to the byte.
    """
    smoke.shrink(branch, {"mnist.validation_per_class": smoke.OVERRIDES["mnist.validation_per_class"] + 1})
    assert ran(dvc(branch, "repro", "split")) == ["split"]
    assert sorted(json.loads(dvc(branch, "status", "--json"))) == ["report", *TRAININGS_OF_DIGITS]
