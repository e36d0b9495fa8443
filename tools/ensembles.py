"""Classify the unseen CIFAR-10 classes by the 6-class nets of several trainings together; write ensembles.csv.

The trainings differ in their seed. What a method makes of an image by each net is put side by side, so that the squared
distances by the nets add up (Dvornik et al. 2019 combine nets for few-shot learning in other ways). All ensembles, of
one net too, get the same episodes. The nets come from experiments, so what DVC's cache has is not trained again.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import dvc.api
import numpy as np
import pandas as pd
from dvc.api import DVCFileSystem
from dvc_data.index import DataIndexError

from oneshot.core import environment, files, params
from oneshot.core.environment import ComputeParams
from oneshot.core.errors import UserError
from oneshot.core.params import Schema, Seed
from oneshot.evaluation import report_protocol
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import draw_episodes, evaluate
from oneshot.evaluation.params import OneShotParams
from oneshot.evaluation.transforms import Layers, layers_of, represent
from oneshot.splits.params import Cifar10Params
from oneshot.training.progress import progress
from tools import inputs, recipes
from tools.experiments import add_options, finished, revision, run
from tools.results import ensembles_table

TABLE = Path("research/tables/ensembles.csv")
COLUMNS = ["recipe", "nets", "seeds", "setting", "accuracy", "inputs"]
FEATURES = "features/6-class"
# The evaluation of one net in the pipeline: its code and parameters are those of this one.
EVALUATION, METRICS = "one_shot_cifar10", "metrics/one_shot_cifar10.json"
OTHER_IMAGES = (
    "with cifar10.limit_per_class, seeds have other unseen images: leave it empty in params.yaml and the recipe"
)
# The report's, and the best with one view and with two (research/tables/choice.csv).
METHODS = ("raw", "both_whitened", "mirror_both_whitened")


class Params(Schema):
    """The parameters of the evaluation."""

    compute: ComputeParams
    seed: Seed
    cifar10: Cifar10Params
    one_shot: OneShotParams


class Features(NamedTuple):
    """What one net makes of the images: see transforms.represent; labels, indices: (n,) of the unseen classes."""

    unseen: Layers
    seen: Layers
    seen_labels: np.ndarray
    labels: np.ndarray
    indices: np.ndarray


def main() -> None:
    """Get the nets of the seeds that the command line names, and evaluate them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="*", default=[1, 2, 3], help="seeds of the trainings (default: 1 2 3)")
    parser.add_argument("--recipe", choices=recipes.names(), default="", help="a file in recipes/")
    add_options(parser)
    options = parser.parse_args()
    seeds = list(dict.fromkeys(options.seeds))
    if len(seeds) < 2:
        sys.exit("error: an ensemble needs two seeds or more")
    try:
        settings = params.load(Params)
        if settings.cifar10.limit_per_class is not None:
            raise UserError(OTHER_IMAGES)
        environment.enter(settings.compute)
        inputs.require_current([EVALUATION])
        recipe = options.recipe or "default"
        seed_of = {f"{recipe}-features-{seed}": seed for seed in seeds}
        chosen = recipes.settings(options.recipe) if options.recipe else []
        done = finished()
        for name in seed_of.keys() & done.keys():
            check(name, seed_of[name], chosen)
        ahead = {name: [*chosen, f"seed={seed}"] for name, seed in seed_of.items() if name not in done}
        for name in run(ahead, ("extract_features",), options) if ahead else ():
            check(name, seed_of[name], chosen)
        nets = {seed: read(name, settings.cifar10.unseen_classes) for name, seed in seed_of.items()}
        found = pd.DataFrame(rows(nets, settings)).assign(recipe=recipe, inputs=_inputs(METRICS, chosen))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command continues; what DVC's queue or a worker has begun may go on")
    table = pd.read_csv(TABLE, dtype={"inputs": str}) if TABLE.exists() else pd.DataFrame(columns=COLUMNS)
    others = [rows for _, rows in table.groupby("recipe") if is_current(rows) and rows["recipe"].iloc[0] != recipe]
    table = pd.concat([*others, found]).sort_values("recipe", kind="stable").reindex(columns=COLUMNS)
    files.write_csv(TABLE, table)
    print(ensembles_table(table))


def check(experiment: str, seed: int, settings: Sequence[str]) -> None:
    """Raise UserError if an experiment's features are not those of this code, these parameters and a seed.

    settings: of its recipe. The workspace may have changed since the experiment was queued.
    """
    rev = revision(experiment)
    stages = inputs.stages_of(lambda path: dvc.api.read(path, rev=rev), [FEATURES])
    if inputs.digest(stages) != _inputs(FEATURES, settings) or inputs.seed_of(stages) != seed:
        raise UserError(
            f"the experiment {experiment} ran another seed, code, parameters or data than asked for: remove it with"
            f" `dvc exp remove {experiment}`, then again"
        )


def is_current(rows: pd.DataFrame) -> bool:
    """Whether a recipe's rows of the table are of this code, these parameters and this data; says so if not."""
    recipe = rows["recipe"].iloc[0]
    if recipe == "default" or recipe in recipes.names():
        settings = [] if recipe == "default" else recipes.settings(recipe)
        if set(rows["inputs"]) == {_inputs(METRICS, settings)}:
            return True
    print(f"ensembles: the rows of {recipe} are removed: made with other code, parameters or data than now")
    return False


def _inputs(path: str, settings: Sequence[str]) -> str:
    """Make a digest of all inputs but the seed that an output of the workspace has, with some parameters set."""
    try:
        return inputs.digest(inputs.stages_of(inputs.workspace, [path]), recipes.change(params.read(), settings))
    except KeyError as error:
        raise UserError(f"the recipe sets {error}, which params.yaml does not have") from None


def read(experiment: str, classes: Sequence[int]) -> Features:
    """Read the features that an experiment made; classes: the unseen ones. Raises UserError if they are gone."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            DVCFileSystem(".", rev=revision(experiment)).get(FEATURES, folder, recursive=True)
        except (DataIndexError, FileNotFoundError):
            raise UserError(
                f"the features that the experiment {experiment} made are no longer in DVC's cache: remove it with"
                f" `dvc exp remove {experiment}`, then again"
            ) from None
        (place,) = {path.parent for path in Path(folder).rglob("*.npy")}
        data = files.read_arrays(place)
    unseen = np.isin(data["labels"], classes)
    seen, labels = layers_of(data, ~unseen), data["labels"]
    return Features(layers_of(data, unseen), seen, labels[~unseen], labels[unseen], data["indices"][unseen])


def groups(seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """List the ensembles: each seed alone, each with the next one (the last with the first), and all together."""
    pairs = zip(seeds, [*seeds[1:], seeds[0]], strict=True) if len(seeds) > 2 else ()
    return [*((seed,) for seed in seeds), *pairs, tuple(seeds)]


def rows(nets: dict[int, Features], settings: Params) -> list[dict]:
    """Evaluate the ensembles of nets with these seeds: a row for each and each setting, with the mean accuracy.

    Raises UserError if the nets are not of the same unseen images.
    """
    one_shot, classes = settings.one_shot, settings.cifar10.unseen_classes
    first = next(iter(nets.values()))
    if any(not np.array_equal(net.indices, first.indices) for net in nets.values()):
        raise UserError(OTHER_IMAGES)
    labels = first.labels
    protocol = {"images_per_class": one_shot.images_per_class, "draws": one_shot.draws, "seed": settings.seed}
    draws = {
        shots: draw_episodes(labels, classes, episodes=one_shot.episodes, shots=shots, seed=settings.seed)
        for shots in sorted(one_shot.shots)
    }
    found = []
    for method in METHODS:
        made = {seed: represent(method, net.unseen, net.seen, net.seen_labels) for seed, net in nets.items()}
        for group in progress(groups(list(nets)), desc=method, unit="ensemble"):
            features = np.concatenate([made[seed] for seed in group], axis=1)
            given = {"nets": len(group), "seeds": " ".join(map(str, group))}
            if method == "raw":
                counts = report_protocol.run(features, labels, classes, **protocol).confusions
                found.append({**given, "setting": "report's protocol, raw", "accuracy": accuracy(counts).mean()})
            for shots, support in draws.items():
                correct = accuracy(evaluate(features, labels, classes, support)).mean()
                found.append({**given, "setting": f"{shots}-shot {method}", "accuracy": correct})
    return found


if __name__ == "__main__":
    main()
