"""The record of the machine that a result was made on."""

import json
import os
from pathlib import Path

from oneshot.core.environment import ComputeParams, settings
from oneshot.core.provenance import machine


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
