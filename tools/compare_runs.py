"""Check that runs give the same bytes: the small pipeline twice or, with --stored, the whole one against dvc.lock.

Every run starts from scratch in a copy of the project. `--record` runs the small pipeline once and stores its hashes in
tests/pipeline/smoke.lock, with which the tests compare theirs on every machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.utils.serialize import dump_yaml, load_yaml

from oneshot.core.keys import flat
from oneshot.core.provenance import processor_of
from tools import smoke

RECORD = smoke.ROOT / "tests/pipeline/smoke.lock"


def hashes(lock: Mapping) -> dict[str, str]:
    """Return the MD5 of every output in the content of a dvc.lock, by path."""
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}


def read_lock(folder: str | Path) -> dict:
    """Read the dvc.lock of a project."""
    return load_yaml(str(Path(folder) / "dvc.lock"))


def differing(first: Mapping, second: Mapping) -> list[str]:
    """List the outputs that are not in both contents of dvc.lock with the same bytes."""
    one, other = hashes(first), hashes(second)
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def changed_inputs(first: Mapping, second: Mapping) -> list[str]:
    """List the files and parameters, other than outputs, that are not the same in both contents of dvc.lock."""
    one, other = _inputs(first), _inputs(second)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def explain(recorded: Mapping, found: dict, machine: str) -> str:
    """Explain how a run differs from the recorded one and what that means; "" if it does not differ.

    recorded: content of RECORD; found: content of the run's dvc.lock; machine: the processor that it ran on.
    The page is left out: it also shows tables of docs/, which change on their own.
    """
    found = found | {"stages": {name: stage for name, stage in found["stages"].items() if name != "page"}}
    paths = differing(recorded, found)
    if not paths:
        return ""
    total, listed = len(hashes(found)), ", ".join(paths)
    text = f"{len(paths)} of {total} outputs of the small run differ from the recorded ones: {listed}. "
    inputs = changed_inputs(recorded, found)
    if inputs:
        return text + (
            f"The record is stale: {', '.join(inputs)} changed since it was made. If the results were meant to change,"
            " run `make record-hashes` and commit tests/pipeline/smoke.lock; refactoring must not change them."
        )
    return text + (
        "Code, parameters and data are those of the record, so this machine gives other bytes than the one that made"
        f" it: {machine} here, {recorded['machine']} there. docs/reproducibility.md says which machines should agree."
    )


def machine(folder: str | Path) -> str:
    """Return the processor of the last run in a project."""
    return processor_of(json.loads((Path(folder) / "provenance/split.json").read_text()))


def largest_difference(first: Path, second: Path) -> float | None:
    """Return the largest difference between the numbers of two JSON or CSV files; None if they cannot be compared."""
    one, other = (_numbers(path) if path.is_file() else {} for path in (first, second))
    if not one or one.keys() != other.keys():
        return None
    return float(np.max([abs(one[key] - other[key]) for key in one]))


def _numbers(path: Path) -> dict:
    if path.suffix == ".json":
        return dict(flat(json.loads(path.read_text())))
    if path.suffix == ".csv":
        return dict(enumerate(pd.read_csv(path).select_dtypes("number").to_numpy().ravel()))
    return {}


def _inputs(lock: Mapping) -> dict[str, object]:
    made = hashes(lock)
    found: dict[str, object] = {}
    for stage in lock["stages"].values():
        found |= {dep["path"]: dep.get("md5") for dep in stage.get("deps", []) if dep["path"] not in made}
        for values in stage.get("params", {}).values():
            found |= dict(flat(values))
    # Leave out the folders of other stages' outputs, and params.yaml, whose leaves are listed above.
    return {name: value for name, value in found.items() if not name.startswith(("metrics", "plots", "params.yaml"))}


def _twice(scratch: Path) -> list[str]:
    first, second = (smoke.run(scratch / name) for name in ("first", "second"))
    faults = differing(read_lock(first), read_lock(second))
    if not faults:
        print(f"compare-runs: all {len(hashes(read_lock(first)))} outputs have the same hash in both runs")
    return [f"{path} differs between two runs of the same code, parameters and data" for path in faults]


def _stored(scratch: Path) -> list[str]:
    if not (smoke.ROOT / "dvc.lock").exists():
        sys.exit("error: there is no dvc.lock, so no stored run to compare with: run make repro first")
    stored = read_lock(smoke.ROOT)
    folder = smoke.copy(scratch / "whole")
    smoke.dvc(folder, "repro")
    smoke.require_run(folder)
    found = read_lock(folder)
    paths = differing(stored, found)
    total = len(hashes(stored))
    print(f"compare-runs: {total - len(paths)} of {total} outputs are the same as in dvc.lock, on {machine(folder)}")
    faults = []
    for path in paths:
        distance = largest_difference(smoke.ROOT / path, folder / path)
        how = "" if distance is None else f": by at most {distance:.6g}"
        faults.append(f"{path} differs from the stored one{how}")
    return faults


def _record(scratch: Path) -> list[str]:
    folder = smoke.run(scratch / "small")
    lock = read_lock(folder)
    del lock["stages"]["page"]
    dump_yaml(str(RECORD), lock | {"machine": machine(folder)})
    print(f"record-hashes: {len(hashes(lock))} hashes are recorded in {RECORD.relative_to(smoke.ROOT)}")
    return []


def main() -> None:
    """Print which outputs differ and exit with status 1, or print that none does."""
    parser = argparse.ArgumentParser(description=__doc__)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--stored", action="store_true", help="run the whole pipeline and compare it with dvc.lock")
    group.add_argument("--record", action="store_true", help="run the small pipeline and record its hashes")
    options = parser.parse_args()
    check = _stored if options.stored else _record if options.record else _twice
    with tempfile.TemporaryDirectory(prefix="oneshot-compare-") as scratch:
        try:
            faults = check(Path(scratch))
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)
    for fault in faults:
        print(f"compare-runs: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
