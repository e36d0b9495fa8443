"""Set up a machine with an NVIDIA GPU, run the small pipeline on it twice, compare the hashes, and time the whole one.

Writes docs/gpu.json. It adds CUDA's libraries to .venv, which are not in requirements.lock.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from dvc.utils.serialize import load_yaml

from oneshot.core.files import read_json, visible, write_json
from tools import compare_runs, smoke

RECORD = smoke.ROOT / "docs/gpu.json"
_SEEN = "import json; from oneshot.training.tensorflow import has_gpu; print(json.dumps(has_gpu()))"


def main() -> None:
    """Write the record; exits with one sentence if there is no GPU, before anything is installed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    gpus = names()
    if not gpus:
        sys.exit("error: there is no NVIDIA GPU here, or no driver for it (nvidia-smi lists none)")
    try:
        install()
        with tempfile.TemporaryDirectory(prefix="oneshot-gpu-") as scratch:
            record = {"gpus": gpus, "tensorflow": version("tensorflow")}
            # Written after each: if the whole run fails, what the small ones showed is kept.
            for measure in (small, whole):
                record |= measure(Path(scratch))
                write_json(RECORD, record)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    print(f"gpu: {RECORD} is written")


def names() -> list[str]:
    """The GPUs that the driver lists."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def install() -> None:
    """Add CUDA's libraries for the locked TensorFlow; exits with one sentence if TensorFlow then sees no GPU."""
    uv = str(Path(sys.executable).with_name("uv"))
    wanted = f"tensorflow[and-cuda]=={version('tensorflow')}"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", sys.executable, wanted], check=True)
    seen = subprocess.run([sys.executable, "-c", _SEEN], check=True, stdout=subprocess.PIPE, text=True).stdout
    if not json.loads(seen.splitlines()[-1]):
        sys.exit("error: TensorFlow does not see the GPU that nvidia-smi lists: is its driver new enough for CUDA?")


def small(scratch: Path) -> dict:
    """Run the small pipeline twice: which outputs differ, and which from those that processors give."""
    first, second = (compare_runs.read_lock(smoke.run(scratch / name)) for name in ("first", "second"))
    recorded = compare_runs.hashes(load_yaml(str(compare_runs.RECORD)))
    found = compare_runs.hashes(first)
    return {
        "outputs": len(found),
        "differ_between_two_runs": compare_runs.differing(first, second),
        # The page is not recorded.
        "differ_from_the_processors": sorted(path for path in recorded if found.get(path) != recorded[path]),
    }


def whole(scratch: Path) -> dict:
    """Run the whole pipeline: the minutes of each stage, and all metrics."""
    folder = smoke.copy(scratch / "whole")
    smoke.dvc(folder, "repro")
    smoke.require_run(folder)
    return {
        "minutes": {path.stem: read_json(path)["minutes"] for path in visible(folder / "provenance", "*.json")},
        "metrics": {
            path.relative_to(folder).as_posix(): read_json(path) for path in visible(folder / "metrics", "**/*.json")
        },
    }


if __name__ == "__main__":
    main()
