"""Check that runs give the same bytes: the small pipeline twice or, with --stored, the whole one against dvc.lock.

Every run starts from scratch in a copy of the project. --record runs the small pipeline once and stores its hashes in
tests/pipeline/smoke.lock, with which the tests compare theirs on every machine.
"""

import argparse
import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.utils.serialize import dump_yaml, load_yaml

from oneshot.core.files import read_json, visible
from oneshot.core.keys import flat
from oneshot.core.provenance import processor_of
from tools import smoke
from tools.command import command

_HAS_GPU = "from oneshot.training.tensorflow import has_gpu; raise SystemExit(not has_gpu())"
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


def machine(folder: str | Path) -> str:
    """Return the processor of the last run in a project."""
    return processor_of(read_json(Path(folder) / "provenance/split.json"))


def largest_difference(first: Path, second: Path) -> float | None:
    """Return the largest difference between the numbers of two JSON or CSV files; None if they cannot be compared."""
    one, other = (_numbers(path) if path.is_file() else {} for path in (first, second))
    if not one or one.keys() != other.keys():
        return None
    return float(np.nanmax([abs(one[key] - other[key]) for key in one]))


def _numbers(path: Path) -> dict:
    if path.suffix == ".json":
        return {key: value for key, value in flat(read_json(path)) if isinstance(value, int | float)}
    if path.suffix == ".csv":
        return dict(enumerate(pd.read_csv(path).select_dtypes("number").to_numpy().ravel()))
    return {}


def twice(scratch: Path) -> list[str]:
    """Run the small pipeline twice; return a sentence per output that differs."""
    first, second = (read_lock(smoke.run(scratch / name)) for name in ("first", "second"))
    faults = differing(first, second)
    if not faults:
        print(f"compare-runs: all {len(hashes(first))} outputs have the same hash in both runs")
    return [f"{path} differs between two runs of the same code, parameters and data" for path in faults]


def stored(scratch: Path) -> list[str]:
    """Run the whole pipeline; return a sentence per output that differs from the one in dvc.lock."""
    if not (smoke.ROOT / "dvc.lock").exists():
        sys.exit("error: there is no dvc.lock, so no stored run to compare with: run make repro first")
    lock = read_lock(smoke.ROOT)
    folder = smoke.run(scratch / "whole", overrides={})
    paths, total = differing(lock, read_lock(folder)), len(hashes(lock))
    print(f"compare-runs: {total - len(paths)} of {total} outputs are the same as in dvc.lock, on {machine(folder)}")
    faults = []
    for path in paths:
        distance = largest_difference(smoke.ROOT / path, folder / path)
        how = "" if distance is None else f": by at most {distance:.6g}"
        faults.append(f"{path} differs from the stored one{how}")
    return faults


def record(scratch: Path) -> list[str]:
    """Run the small pipeline and store its hashes, without the page: it also shows tables of docs/."""
    folder = smoke.run(scratch / "small")
    lock = read_lock(folder)
    del lock["stages"]["page"]
    dump_yaml(str(RECORD), lock | {"machine": machine(folder)})
    print(f"record-hashes: {len(hashes(lock))} hashes are recorded in {RECORD.relative_to(smoke.ROOT)}")
    return []


def on_gpu(scratch: Path) -> Iterator[str]:
    """Add CUDA's libraries to .venv, do both comparisons, and print each stage's minutes.

    Exits with one sentence if there is no NVIDIA GPU, before anything is installed.
    """
    status, gpus = subprocess.getstatusoutput("nvidia-smi --query-gpu=name,driver_version --format=csv,noheader")
    if status or not gpus:
        sys.exit("error: there is no NVIDIA GPU here, or no driver for it (nvidia-smi lists none)")
    wanted = f"tensorflow[and-cuda]=={version('tensorflow')}"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "pip", "install", "--quiet", "--python", sys.executable, wanted], check=True)
    if subprocess.run([sys.executable, "-c", _HAS_GPU], check=False).returncode:
        sys.exit("error: TensorFlow does not see the GPU that nvidia-smi lists: is its driver new enough for CUDA?")
    print(f"compare-runs: on {', '.join(gpus.splitlines())}, with {wanted}", flush=True)
    yield from twice(scratch)
    yield from stored(scratch)
    for path in visible(scratch / "whole/provenance", "*.json"):
        print(f"{path.stem}: {read_json(path)['minutes']:.1f} minutes")


@command
def main() -> None:
    """Print which outputs differ and exit with status 1, or print that none does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.set_defaults(check=twice)
    add = functools.partial(parser.add_mutually_exclusive_group().add_argument, dest="check", action="store_const")
    add("--stored", const=stored, help="run the whole pipeline and compare it with dvc.lock")
    add("--record", const=record, help="run the small pipeline and record its hashes")
    add("--gpu", const=on_gpu, help="add CUDA's libraries to .venv, and do both on an NVIDIA GPU")
    check, faults = parser.parse_args().check, 0
    with tempfile.TemporaryDirectory(prefix="oneshot-compare-") as scratch:
        for fault in check(Path(scratch)):
            print(f"compare-runs: {fault}", file=sys.stderr, flush=True)
            faults += 1
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
