"""The record of the machine that a result was made on."""

import json
import os
import subprocess
import sys
from pathlib import Path

from oneshot.core.environment import ComputeParams, settings
from oneshot.core.provenance import machine, peak_memory


def test_processor_settings_and_libraries_are_recorded():
    compute = ComputeParams(threads=2, instructions="portable")
    found = machine(compute)
    assert found["processor"] and found["threads"] == 2
    assert 1 <= found["processors"] <= (os.cpu_count() or 1)
    assert found["packages"].keys() >= {"tensorflow", "numpy", "scipy", "scikit-learn"}
    assert found["settings"] == settings(compute)
    assert json.loads(json.dumps(found)) == found


def test_a_processor_with_avx2_is_recorded_as_one():
    flags = Path("/proc/cpuinfo").read_text().split()
    found = machine(ComputeParams(threads=None, instructions="native"))
    assert ("avx2" in found["instructions"]) == ("avx2" in flags)


def test_the_peak_is_of_this_process_or_of_one_that_it_started_and_not_of_the_one_that_started_it():
    """Each process takes another size: the parent 400 MiB, the stage 100, its child 200."""
    stage = (
        "import subprocess, sys; from oneshot.core.provenance import peak_memory; block = bytearray(100 << 20);"
        "print(peak_memory()); subprocess.run([sys.executable, '-c', 'bytearray(200 << 20)']); print(peak_memory())"
    )
    block = bytearray(400 << 20)
    variables = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run([sys.executable, "-c", stage], env=variables, check=True, stdout=subprocess.PIPE, text=True)
    own, with_child = map(float, done.stdout.split())
    assert 0.09 < own < 0.2 <= with_child < 0.3 and block
    assert peak_memory() >= 0.39
