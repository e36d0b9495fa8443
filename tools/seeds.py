"""Run the pipeline with more seeds, through DVC's queue or on a cluster; write their metrics to seeds.csv.

The table has one row per seed, written as soon as that seed has ended, so the next call continues an interrupted one.
Rows of other code, parameters or data than the stored run's are removed. A recipe (a file in recipes/) has a table of
its own, such as research/tables/seeds_thorough.csv; its rows have the stored run's parameters changed by the recipe.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.core.files import write_csv
from oneshot.page.spread import spread
from tools import inputs, recipes, results, verify
from tools.experiments import add_options, finished, revision, run

TABLE = Path("research/tables/seeds.csv")
TARGETS = ("train_convnet@10-class", "one_shot_cifar10", "one_shot_mnist")
# One of the two long trainings: its machine is the row's.
PROVENANCE = "provenance/train_convnet-6-class.json"
# What the table calls a metric: the file that holds it, and its key there. They are those of docs/results.md.
METRICS = {name: (f"metrics/{file}.json", key) for file, key, name, _ in results.ROWS.values()}
_FILES = {path for path, _ in METRICS.values()}


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
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command continues; what DVC's queue or a worker has begun may go on")


def run_seeds(options: argparse.Namespace) -> None:
    """Run the seeds of the options that the table lacks, and add a row for each."""
    inputs.require_current(TARGETS)
    try:
        stored = row(inputs.workspace)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"error: there is no whole stored run ({error}): run make repro, then again")
    except KeyError as error:
        sys.exit(f"error: the stored run has no {error}, which the tables of seeds list: see one_shot in params.yaml")
    settings, expected = [], stored["inputs"]
    if options.recipe:
        settings = recipes.settings(options.recipe)
        try:
            stages = inputs.stages_of(inputs.workspace, _FILES)
            expected = inputs.digest(stages, recipes.change(params.read(), settings))
        except KeyError as error:
            sys.exit(f"error: recipes/{options.recipe} sets {error}, which params.yaml does not have")
    path, prefix = table_of(options.recipe), options.recipe or "seed"
    table = read_table(path) if path.exists() else pd.DataFrame(columns=list(stored))
    old = table.loc[table["inputs"] != expected, "seed"].tolist()
    if old:
        print(f"seeds: the rows of {old} are removed: made with other code, parameters or data than now")
    table = table.loc[table["inputs"] == expected]
    if expected == stored["inputs"]:
        table = add(table, stored)
    write_csv(path, table)

    missing = [seed for seed in options.seeds if seed not in table["seed"].tolist()]
    ahead = {f"{prefix}-{seed}": [*settings, f"seed={seed}"] for seed in missing}
    for experiment in ahead.keys() & finished().keys():  # an interrupted call has left them
        with contextlib.suppress(KeyError, ValueError):
            made = _experiment(experiment)
            if made["inputs"] == expected and experiment == f"{prefix}-{made['seed']}":
                del ahead[experiment]
                table = add(table, made)
                write_csv(path, table)
    for experiment in run(ahead, TARGETS, options) if ahead else ():
        try:
            made = _experiment(experiment)
        except KeyError as error:
            sys.exit(f"error: {experiment} has no {error}, which the tables list: see recipes/{options.recipe}")
        if made["inputs"] != expected or experiment != f"{prefix}-{made['seed']}":
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
    stages = inputs.stages_of(read_text, _FILES)
    seed = inputs.seed_of(stages)
    files = {path: json.loads(read_text(path)) for path in _FILES}
    metrics = {metric: inputs.leaf(files[path], key) for metric, (path, key) in METRICS.items()}
    ran_on = machine(json.loads(read_text(PROVENANCE)))
    return {"seed": seed, "machine": ran_on, "inputs": inputs.digest(stages)} | metrics


def machine(record: Mapping) -> str:
    """Name the processor and the GPUs of a record of provenance."""
    return ", ".join([verify.processor(record), *record["gpu"]])


def add(table: pd.DataFrame, made: Mapping[str, Any]) -> pd.DataFrame:
    """Add a row, in place of one with the same seed; the rows are in the order of their seeds."""
    others = [found for found in table.to_dict("records") if found["seed"] != made["seed"]]
    return pd.DataFrame(sorted([*others, made], key=lambda found: found["seed"]), columns=list(made))


def _experiment(name: str) -> dict[str, Any]:
    """The row of an experiment. Its machine is unknown if its trainings came out of the run cache."""
    rev = revision(name)
    made = row(lambda path: dvc.api.read(path, rev=rev))
    if dvc.api.read(PROVENANCE, rev=rev) == inputs.workspace(PROVENANCE):
        made["machine"] = ""
    return made


if __name__ == "__main__":
    main()
