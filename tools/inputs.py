"""What a run was made from, as dvc.lock records it: code, parameters and data."""

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from dvc.utils.serialize import parse_yaml

from tools import verify
from tools.experiments import DVC


def workspace(path: str) -> str:
    """Read a file of the workspace."""
    return Path(path).read_text(encoding="utf-8")


def stages_of(read_text: Callable[[str], str], paths: Collection[str]) -> dict[str, Mapping]:
    """Select the stages that make some outputs, and what those depend on, from dvc.lock.

    read_text: reads a file of the run by its path. Raises KeyError if no stage made one of them.
    """
    lock = parse_yaml(read_text("dvc.lock"), "dvc.lock")
    makers = {out["path"]: name for name, stage in lock["stages"].items() for out in stage.get("outs", [])}
    ahead, found = {makers[path] for path in paths}, set()
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= {makers[dep["path"]] for dep in lock["stages"][name]["deps"] if dep["path"] in makers} - found
    return {name: lock["stages"][name] for name in found}


def seed_of(stages: Mapping[str, Mapping]) -> int:
    """The seed of a run; raises ValueError if not all stages ran with one."""
    seeds = {values["seed"] for values in _parameters(stages).values() if "seed" in values}
    if len(seeds) != 1:
        raise ValueError(f"the stages ran with several seeds: {sorted(seeds)}")
    return seeds.pop()


def digest(stages: Mapping[str, Mapping], tree: Mapping | None = None) -> str:
    """Make a digest of all inputs of some stages but the seed.

    tree: parameters, in place of those of the stages; raises KeyError if it lacks one.
    """
    # What a download makes is data, which does not depend on the seed.
    made = verify.hashes({"stages": {name: stage for name, stage in stages.items() if not name.startswith("download")}})
    parameters = {
        name: {key: value if tree is None else leaf(tree, key) for key, value in values.items() if key != "seed"}
        for name, values in _parameters(stages).items()
    }
    inputs = [
        [name, parameters[name], {dep["path"]: dep["md5"] for dep in stage["deps"] if dep["path"] not in made}]
        for name, stage in sorted(stages.items())
    ]
    return sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]


def require_current(targets: Collection[str]) -> None:
    """Exit with one sentence if dvc.lock is of other code, parameters or data than the workspace's."""
    command = [*DVC, "repro", "--dry", "--allow-missing", *targets]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    # If dvc fails, it has said what is missing or wrong.
    if done.returncode or "Running stage" in done.stdout:
        sys.exit("error: dvc.lock is not of this code, these parameters and this data: run make repro, then again")


def leaf(tree: Mapping, key: str) -> Any:
    """Return what a tree has by a dotted key; raises KeyError."""
    value: Any = tree
    for part in key.split("."):
        value = value[part]
    return value


def _parameters(stages: Mapping[str, Mapping]) -> dict[str, dict[str, Any]]:
    """The parameters of each stage, by their dotted names."""
    return {name: stage.get("params", {}).get("params.yaml", {}) for name, stage in stages.items()}
