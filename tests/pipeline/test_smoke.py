"""The whole pipeline on a small part of the real data: it runs, repeats itself, and reruns only what has to."""

import json
from pathlib import Path

import h5py
import pytest

from tests.pipeline.scratch import dvc, ran
from tools import smoke, verify

pytestmark = [pytest.mark.pipeline, pytest.mark.data]

TRAININGS_OF_DIGITS = [
    *(f"train_dense_embedding@{net}" for net in ("dense-all", "dense-seen")),
    *(f"train_siamese@{net}" for net in ("siamese-2d", "siamese-3d")),
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


def test_a_parameter_changed_back_is_served_from_the_run_cache(branch: Path):
    before = verify.hashes(branch)
    smoke.shrink(branch, {"one_shot.draws": 5})
    assert ran(dvc(branch, "repro")) == ["check_params", "draw_pictures", "one_shot_cifar10", "page"]
    assert verify.hashes(branch) != before
    smoke.shrink(branch, {"one_shot.draws": smoke.OVERRIDES["one_shot.draws"]})
    output = dvc(branch, "repro")
    assert "Stage 'one_shot_cifar10' is cached - skipping run" in output
    # These take a few seconds, and their outputs, or that they have none, keep DVC from caching their runs.
    assert ran(output) == ["check_params", "draw_pictures", "page"]
    assert verify.hashes(branch) == before


def test_what_a_split_left_as_it_was_trains_nothing(branch: Path):
    """The digits' split is another, so the digit nets are stale, and the page, which shows the parameters.

    That of CIFAR-10 is the same to the byte.
    """
    smoke.shrink(branch, {"mnist.validation_per_class": smoke.OVERRIDES["mnist.validation_per_class"] + 1})
    assert ran(dvc(branch, "repro", "split")) == ["split"]
    assert sorted(json.loads(dvc(branch, "status", "--json"))) == ["check_params", "page", *TRAININGS_OF_DIGITS]


def test_a_misspelt_parameter_is_reported_though_every_result_is_up_to_date(branch: Path):
    with (branch / "params.yaml").open("a") as file:
        file.write("margn: 2\n")
    done = smoke.dvc(branch, "repro", capture_output=True, text=True, check=False)
    assert done.returncode != 0 and ran(done.stdout) == ["check_params"]
    assert "no stage reads the parameter margn; did you mean margin?" in done.stderr
