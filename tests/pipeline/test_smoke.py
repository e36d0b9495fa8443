"""The whole pipeline on a small part of the real data: it runs, repeats itself, and reruns only what it must."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from dvc.utils.serialize import load_yaml

from oneshot.nets.table import DENSE, SIAMESE
from tests.pipeline import hostile
from tests.pipeline.recorded import explain
from tests.pipeline.scratch import attempt, dvc, ran
from tools import compare_runs, smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]

TRAININGS_OF_DIGITS = [
    *(f"train_dense_embedding@{net}" for net in DENSE),
    *(f"train_siamese@{net}" for net in SIAMESE),
]


def test_every_stage_ran_and_everything_is_up_to_date(smoke_run: Path):
    assert "Data and pipelines are up to date" in dvc(smoke_run, "repro")
    assert "Data and pipelines are up to date" in dvc(smoke_run, "status")
    assert not (smoke_run / ".checkpoints").exists() or not any((smoke_run / ".checkpoints").iterdir())


def test_the_same_bytes_for_another_user_on_another_processor(smoke_runs: tuple[Path, Path]):
    """See conftest.py: neither the user's settings, nor the number and make of the processors may change a byte.

    Nor may stages that run at the same time: the first copy's did, the second's did not.
    """
    assert compare_runs.differing(*map(compare_runs.read_lock, smoke_runs)) == []


def test_the_other_processor_is_another_to_the_libraries(tmp_path: Path):
    variables = hostile.other_processor(tmp_path)
    if not variables:
        pytest.skip("needs gcc and an Intel processor whose CPUID instruction can be made to fault")
    code = "import numpy; print(numpy.lib.introspect.opt_func_info(func_name='^(power|exp)$'))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | variables, check=True, capture_output=True, text=True)
    # What NumPy would choose above AVX2, which this processor may have.
    assert "X86_V3" in done.stdout
    assert not any(f"'current': '{name}" in done.stdout for name in ("X86_V4", "AVX512"))


def test_the_same_bytes_as_on_the_machine_that_recorded_them(smoke_run: Path):
    recorded, found = load_yaml(str(compare_runs.RECORD)), compare_runs.read_lock(smoke_run)
    assert not (difference := explain(recorded, found, compare_runs.machine(smoke_run))), difference


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


def test_what_a_split_left_as_it_was_trains_nothing(branch: Path):
    """The digits' split differs, so the digit nets are stale, and the page, which shows the parameters.

    That of CIFAR-10 is the same to the byte.
    """
    smoke.shrink(branch, {"mnist.validation_per_class": smoke.OVERRIDES["mnist.validation_per_class"] + 1})
    assert ran(dvc(branch, "repro", "split")) == ["split"]
    assert sorted(json.loads(dvc(branch, "status", "--json"))) == ["check_params", "page", *TRAININGS_OF_DIGITS]


def test_a_misspelt_parameter_is_reported_though_every_result_is_up_to_date(branch: Path):
    with (branch / "params.yaml").open("a") as file:
        file.write("margn: 2\n")
    done = attempt(branch, "repro")
    assert done.returncode != 0 and ran(done.stdout) == ["check_params"]
    assert "no stage reads the parameter margn; did you mean margin?" in done.stderr
