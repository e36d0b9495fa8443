"""A stage's environment: the project's settings of the libraries instead of the user's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneshot.core import environment
from oneshot.core.environment import ComputeParams, TrainingComputeParams

PORTABLE = ComputeParams(threads=2, instructions="portable")
ROOT = Path(__file__).parents[2]
HOSTILE = {
    "KERAS_BACKEND": "jax",
    "KERAS_HOME": "/somewhere",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "OMP_NUM_THREADS": "7",
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "3",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    "MPLBACKEND": "svg",
    "MATPLOTLIBRC": "/somewhere/matplotlibrc",
    "PYTHONHASHSEED": "11",
    "LC_ALL": "de_DE.UTF-8",
    "LANG": "tr_TR.UTF-8",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2",
    "ONESHOT_THREADS": "5",
    "HDF5_DRIVER": "core",
    "HDF5_USE_FILE_LOCKING": "TRUE",
    "LOKY_MAX_CPU_COUNT": "1",
    "PYTHON_CPU_COUNT": "1",
    "PYTHONINSPECT": "1",
    "PYTHONSAFEPATH": "",
}


def test_the_users_settings_of_the_libraries_are_replaced():
    plain = {"PATH": "/bin", "HOME": "/home/me", "https_proxy": "p", "CUDA_VISIBLE_DEVICES": "1"}
    found = environment.replaced(plain | HOSTILE, PORTABLE)
    assert found == plain | environment.settings(PORTABLE)


def test_what_changes_no_result_is_left_to_the_user():
    kept = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_FORCE_GPU_ALLOW_GROWTH": "true", "PYTHONUNBUFFERED": "1"}
    assert environment.replaced(kept, PORTABLE).items() >= kept.items()


@pytest.mark.parametrize(
    ("given", "kept"), [("/foreign", None), (f"/foreign:{ROOT}/tests/../src:{ROOT}:", f"{ROOT}/src:{ROOT}"), ("", None)]
)
def test_of_the_users_import_path_only_this_project_is_kept(given: str, kept: str | None):
    assert environment.replaced({"PYTHONPATH": given}, PORTABLE).get("PYTHONPATH") == kept


@given(st.dictionaries(st.sampled_from([*HOSTILE, "HOME", "PATH", "DVC_ROOT"]), st.text(max_size=5)))
def test_replacing_twice_changes_nothing_more(given_environment: dict[str, str]):
    once = environment.replaced(given_environment, PORTABLE)
    assert environment.replaced(once, PORTABLE) == once


def test_native_instructions_and_all_threads_leave_the_choice_to_the_libraries():
    names = environment.settings(ComputeParams(threads=None, instructions="native")).keys()
    assert not names & {"ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "ONESHOT_THREADS"}


def test_bfloat16_needs_native_instructions():
    with pytest.raises(ValueError, match=r"set compute\.instructions to native"):
        TrainingComputeParams(threads=2, instructions="portable", precision="bfloat16")
    TrainingComputeParams(threads=2, instructions="native", precision="bfloat16")


def test_checkpoints_of_other_settings_are_different():
    kinds = [
        ComputeParams(threads=threads, instructions=instructions)
        for threads in (1, 2, None)
        for instructions in ("portable", "native")
    ]
    assert len({environment.determinants(kind) for kind in kinds}) == len(kinds)


def test_what_the_parameters_leave_to_the_libraries_makes_checkpoints_of_other_machines_different(monkeypatch):
    """All kinds of parameters on three machines: only those with something left open see a difference."""
    machines = [(2, ["avx2"]), (4, ["avx2"]), (2, ["avx2", "avx512f"])]

    def found(threads, instructions) -> list[str]:
        compute, texts = ComputeParams(threads=threads, instructions=instructions), []
        for count, names in machines:
            monkeypatch.setattr(environment.processor, "count", lambda count=count: count)
            monkeypatch.setattr(environment.processor, "instructions", lambda names=names: names)
            texts.append(environment.determinants(compute))
        return texts

    assert len(set(found(2, "portable"))) == 1
    first, more_processors, more_instructions = found(None, "portable")
    assert first == more_instructions != more_processors
    first, more_processors, more_instructions = found(2, "native")
    assert first == more_processors != more_instructions
    assert len(set(found(None, "native"))) == 3


def test_a_process_enters_the_environment_once_and_keeps_its_command_line():
    code = (
        "import json, os, sys\n"
        "from oneshot.core.environment import ComputeParams, TrainingComputeParams, enter\n"
        "print('started')\n"
        "enter(ComputeParams(threads=2, instructions='portable'))\n"
        "print(json.dumps([sys.argv[1:], dict(os.environ)]))\n"
    )
    variables = {**os.environ, **HOSTILE, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", code, "an argument", "another"]
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    *starts, last = done.stdout.splitlines()
    arguments, found = json.loads(last)
    assert starts == ["started", "started"]
    assert arguments == ["an argument", "another"]
    assert found.items() >= environment.settings(PORTABLE).items()
    assert "ONESHOT_ENVIRONMENT" not in found


def test_numpy_knows_the_features_that_are_switched_off():
    """All that NumPy can choose above AVX2, by the names of the locked version."""
    code = "import numpy._core._multiarray_umath as m; print(*m.__cpu_dispatch__)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    disabled = environment.settings(PORTABLE)["NPY_DISABLE_CPU_FEATURES"].split()
    assert [name for name in found if name != "X86_V3"] == disabled


@pytest.mark.parametrize(("threads", "instructions"), [(0, "portable"), (2, "avx512"), (2.5, "native"), (-1, "native")])
def test_impossible_values_are_refused(threads, instructions):
    with pytest.raises(ValueError):
        ComputeParams(threads=threads, instructions=instructions)
