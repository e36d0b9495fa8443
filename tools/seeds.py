"""Run the pipeline with more seeds, through DVC's queue or on a cluster; write their metrics to docs/seeds.csv.

The table has one row per seed, written as soon as that seed has ended, so the next call continues an interrupted one.
Rows of other code, parameters or data than the stored run's are removed. A recipe (a file in recipes/) has a table of
its own, such as docs/seeds_thorough.csv; its rows have the stored run's parameters changed by the recipe.
"""

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd
from dvc.utils.serialize import parse_yaml

from oneshot.core import params
from oneshot.core.files import write_csv
from oneshot.page.spread import spread
from tools import recipes, results, verify
from tools.experiments import DVC, add_options, finished, revision, run

TABLE = Path("docs/seeds.csv")
TARGETS = ("train_convnet@10-class", "one_shot_cifar10", "one_shot_mnist")
# One of the two long trainings: its machine is the row's.
PROVENANCE = "provenance/train_convnet-6-class.json"
# What the table calls a metric: the file that holds it, and its key there. They are those of docs/results.md.
METRICS = {name: (f"metrics/{file}.json", key) for file, key, name, _ in results.ROWS.values()}


def main() -> None:
    """Run the seeds that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "seeds", type=int, nargs="*", default=[2], help="of the runs (without a recipe: besides the stored run's)"
    )
    parser.add_argument("--recipe", choices=recipes.names(), default="", help="a file in recipes/; has its own table")
    add_options(parser)
    options = parser.parse_args()
    try:
        run_seeds(options)
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command continues; what DVC's queue or a worker has begun may go on")


def run_seeds(options: argparse.Namespace) -> None:
    """Run the seeds of the options that the table lacks, and add a row for each."""
    if _is_stale():
        sys.exit("error: dvc.lock is not of this code, these parameters and this data: run make repro, then again")
    try:
        stored = row(_workspace)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"error: there is no whole stored run ({error}): run make repro, then again")
    except KeyError as error:
        sys.exit(f"error: the stored run has no {error}, which the tables of seeds list: see one_shot in params.yaml")
    settings, inputs = [], stored["inputs"]
    if options.recipe:
        settings = recipes.settings(options.recipe)
        try:
            inputs = _inputs(_stages(_workspace), recipes.change(params.read(), settings))
        except KeyError as error:
            sys.exit(f"error: recipes/{options.recipe} sets {error}, which params.yaml does not have")
    path, prefix = table_of(options.recipe), options.recipe or "seed"
    table = read_table(path) if path.exists() else pd.DataFrame(columns=list(stored))
    old = table.loc[table["inputs"] != inputs, "seed"].tolist()
    if old:
        print(f"seeds: the rows of {old} are removed: made with other code, parameters or data than now")
    table = table.loc[table["inputs"] == inputs]
    if inputs == stored["inputs"]:
        table = add(table, stored)
    write_csv(path, table)

    missing = [seed for seed in options.seeds if seed not in table["seed"].tolist()]
    ahead = {f"{prefix}-{seed}": [*settings, f"seed={seed}"] for seed in missing}
    for experiment in ahead.keys() & finished().keys():  # an interrupted call has left them
        with contextlib.suppress(KeyError, ValueError):
            made = _experiment(experiment)
            if made["inputs"] == inputs and experiment == f"{prefix}-{made['seed']}":
                del ahead[experiment]
                table = add(table, made)
                write_csv(path, table)
    for experiment in run(ahead, TARGETS, options) if ahead else ():
        try:
            made = _experiment(experiment)
        except KeyError as error:
            sys.exit(f"error: {experiment} has no {error}, which the tables list: see recipes/{options.recipe}")
        if made["inputs"] != inputs or experiment != f"{prefix}-{made['seed']}":
            sys.exit(
                f"error: {experiment} ran another seed, code, parameters or data than asked for: remove it with"
                f" `dvc exp remove {experiment}`, then again"
            )
        table = add(table, made)
        write_csv(path, table)
    print(spread(table).to_string(index=False))


def table_of(recipe: str) -> Path:
    """The table of a recipe in a file; "": of the one in params.yaml."""
    return TABLE.with_stem(f"{TABLE.stem}_{recipe}") if recipe else TABLE


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of seeds; a digest of digits only is text too."""
    return pd.read_csv(path, dtype={"machine": str, "inputs": str})


def row(read_text: Callable[[str], str]) -> dict[str, Any]:
    """Make the row of one run: seed, machine, a digest of all inputs but the seed, and each of METRICS.

    read_text: reads a file of the run by its path. Raises KeyError if a metric is missing, ValueError if not all stages
    ran with one seed.
    """
    stages = _stages(read_text)
    seeds = {values["seed"] for values in _parameters(stages).values() if "seed" in values}
    if len(seeds) != 1:
        raise ValueError(f"the stages ran with several seeds: {sorted(seeds)}")
    files = {path: json.loads(read_text(path)) for path, _ in METRICS.values()}
    metrics = {metric: _leaf(files[path], key) for metric, (path, key) in METRICS.items()}
    found = {"seed": seeds.pop(), "machine": machine(json.loads(read_text(PROVENANCE))), "inputs": _inputs(stages)}
    return found | metrics


def machine(record: Mapping) -> str:
    """Name the processor and the GPUs of a record of provenance."""
    return ", ".join([verify.processor(record), *record["gpu"]])


def add(table: pd.DataFrame, made: Mapping[str, Any]) -> pd.DataFrame:
    """Add a row, in place of one with the same seed; the rows are in the order of their seeds."""
    others = [found for found in table.to_dict("records") if found["seed"] != made["seed"]]
    return pd.DataFrame(sorted([*others, made], key=lambda found: found["seed"]), columns=list(made))


def _is_download(stage: str) -> bool:
    """Whether what a stage makes is data, which does not depend on the seed."""
    return stage.startswith("download")


def _stages(read_text: Callable[[str], str]) -> dict[str, Mapping]:
    """Read the stages that the metrics depend on, from dvc.lock."""
    lock = parse_yaml(read_text("dvc.lock"), "dvc.lock")
    return {name: lock["stages"][name] for name in _needed(lock)}


def _parameters(stages: Mapping[str, Mapping]) -> dict[str, dict[str, Any]]:
    """The parameters of each stage, by their dotted names."""
    return {name: stage.get("params", {}).get("params.yaml", {}) for name, stage in stages.items()}


def _inputs(stages: Mapping[str, Mapping], tree: Mapping | None = None) -> str:
    """Make a digest of all inputs but the seed; tree: parameters, in place of those of the stages."""
    made = verify.hashes({"stages": {name: stage for name, stage in stages.items() if not _is_download(name)}})
    parameters = {
        name: {key: value if tree is None else _leaf(tree, key) for key, value in values.items() if key != "seed"}
        for name, values in _parameters(stages).items()
    }
    inputs = [
        [name, parameters[name], {dep["path"]: dep["md5"] for dep in stage["deps"] if dep["path"] not in made}]
        for name, stage in sorted(stages.items())
    ]
    return sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]


def _needed(lock: Mapping) -> set[str]:
    """The stages that the metrics depend on."""
    makers = {out["path"]: name for name, stage in lock["stages"].items() for out in stage.get("outs", [])}
    ahead, found = {makers[path] for path, _ in METRICS.values()}, set()
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= {makers[dep["path"]] for dep in lock["stages"][name]["deps"] if dep["path"] in makers} - found
    return found


def _is_stale() -> bool:
    """Whether dvc.lock is of other code, parameters or data than the workspace's."""
    command = [*DVC, "repro", "--dry", "--allow-missing", *TARGETS]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return "Running stage" in done.stdout


def _workspace(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _experiment(name: str) -> dict[str, Any]:
    """The row of an experiment. Its machine is unknown if its trainings came out of the run cache."""
    rev = revision(name)
    made = row(lambda path: dvc.api.read(path, rev=rev))
    if dvc.api.read(PROVENANCE, rev=rev) == _workspace(PROVENANCE):
        made["machine"] = ""
    return made


def _leaf(tree: Mapping, key: str) -> Any:
    value: Any = tree
    for part in key.split("."):
        value = value[part]
    return value


if __name__ == "__main__":
    main()
