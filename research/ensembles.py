"""Classify the unseen CIFAR-10 classes by the 6-class nets of several trainings together.

The trainings differ in their seed. What a method makes of an image by each net is put side by side, so that the squared
distances by the nets add up (Dvornik et al. 2019 combine nets for few-shot learning in other ways). All ensembles, of
one net too, get the same episodes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from oneshot.core import environment, files, params
from oneshot.core.environment import ComputeParams
from oneshot.core.errors import UserError
from oneshot.core.params import Schema, Seed
from oneshot.evaluation import report_protocol
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.params import OneShotParams
from oneshot.evaluation.transforms import Layers, layers_of, transform_features
from oneshot.splits.params import Cifar10Params

OTHER_IMAGES = (
    "with cifar10.limit_per_class, seeds have other unseen images: leave it empty in params.yaml and the recipe"
)
# The report's, and the best with one view and with two (tables/choice.csv).
METHODS = ("raw", "prerelu_gap_whitened", "flip_prerelu_gap_whitened")


class Params(Schema):
    """The parameters of the evaluation."""

    compute: ComputeParams
    seed: Seed
    cifar10: Cifar10Params
    one_shot: OneShotParams


class Features(NamedTuple):
    """What one net makes of the images: see `transform_features`; labels, indices: (n,) of the unseen classes."""

    unseen: Layers
    seen: Layers
    seen_labels: np.ndarray
    labels: np.ndarray
    indices: np.ndarray


def read(folder: Path, classes: Sequence[int]) -> Features:
    """Read features/ of a run; classes: the unseen ones."""
    data = files.read_arrays(folder / "features")
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
        made = {seed: transform_features(method, net.unseen, net.seen, net.seen_labels) for seed, net in nets.items()}
        for group in groups(list(nets)):
            features = np.concatenate([made[seed] for seed in group], axis=1)
            given = {"nets": len(group), "seeds": " ".join(map(str, group))}
            if method == "raw":
                counts = report_protocol.run(features, labels, classes, **protocol).confusions
                found.append({**given, "setting": "report's protocol, raw", "accuracy": accuracy(counts).mean()})
            for shots, support in draws.items():
                correct = accuracy(classify_episodes(features, labels, classes, support)).mean()
                found.append({**given, "setting": f"{shots}-shot {method}", "accuracy": correct})
    return found


def main() -> None:
    """Write the rows of one recipe's runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", help="folders RECIPE-SEED that pipeline.py made")
    options = parser.parse_args()
    try:
        settings = params.load(Params)
        environment.enter(settings.compute)
        recipe = options.runs[0].name.rpartition("-")[0]
        seeds = [int(folder.name.rpartition("-")[2]) for folder in options.runs]
        folders = zip(seeds, options.runs, strict=True)
        nets = {seed: read(folder, settings.cifar10.unseen_classes) for seed, folder in folders}
        files.write_csv(options.table, pd.DataFrame(rows(nets, settings)).assign(recipe=recipe))
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
