"""The list of the probes on a GPU, and its table."""

import pandas as pd

from tools import gpu_probes


def test_each_probe_has_a_name_of_its_own_and_each_row_is_a_probe():
    keys = [probe.key for probe in gpu_probes.probes()]
    assert len(set(keys)) == len(keys)
    table = pd.read_csv(gpu_probes.TABLE, dtype={"classes": str})
    rows = list(zip(table["classes"], table["arm"], table["seed"], strict=True))
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(keys)


def test_probes_of_equal_settings_have_equal_names():
    names = {}
    for probe in gpu_probes.probes():
        changes = tuple(sorted(dict(probe.changes).items()))
        assert names.setdefault((changes, probe.classes), probe.arm) == probe.arm
