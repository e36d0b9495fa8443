"""Classify the unseen CIFAR-10 classes by the 6-class nets of several trainings together.

The trainings differ in their seed. What a method makes of an image by each net is put side by side, so that the squared
distances by the nets add up (Dvornik et al. 2019 combine nets for few-shot learning in other ways). All ensembles, of
one net too, get the same episodes.

    python ensembles.py RECIPE RUNS    the ensembles of one recipe's runs, folders RECIPE-SEED that pipeline.py made
    python ensembles.py                tables/ensembles.csv of all recipes
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import study

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.evaluation import report_protocol
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.transforms import Layers, layers_of, transform_features

# The report's, and the best with one view and with two (tables/choice.csv).
METHODS = ("raw", "prerelu_gap_whitened", "flip_prerelu_gap_whitened")


class Features(NamedTuple):
    """What one net makes of the images: see transform_features; labels, indices: (n,) of the unseen classes."""

    unseen: Layers
    seen: Layers
    seen_labels: np.ndarray
    labels: np.ndarray
    indices: np.ndarray


def read(folder: Path, classes: Sequence[int]) -> Features:
    """Read features/ of a run; classes: the unseen ones."""
    data = files.read_arrays(folder / "features")
    labels, unseen = data["labels"], np.isin(data["labels"], classes)
    layers = layers_of(data, unseen), layers_of(data, ~unseen)
    return Features(*layers, labels[~unseen], labels[unseen], data["indices"][unseen])


def groups(seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """List the ensembles: each seed alone, each with the next one (the last with the first), and all together."""
    pairs = zip(seeds, [*seeds[1:], seeds[0]], strict=True) if len(seeds) > 2 else ()
    return [*((seed,) for seed in seeds), *pairs, tuple(seeds)]


def rows(nets: dict[int, Features], settings: study.Params) -> list[dict]:
    """Evaluate the ensembles of nets with these seeds: a row for each and each setting, with the mean accuracy.

    Raises UserError if the nets are not of the same unseen images.
    """
    one_shot, classes = settings.one_shot, settings.cifar10.unseen_classes
    first = next(iter(nets.values()))
    if any(not np.array_equal(net.indices, first.indices) for net in nets.values()):
        raise UserError(
            "with cifar10.limit_per_class, seeds have other unseen images: leave it empty in params.yaml and the recipe"
        )
    protocol = {"images_per_class": one_shot.images_per_class, "draws": one_shot.draws, "seed": settings.seed}
    draws = {
        f"{shots}-shot": draw_episodes(
            first.labels, classes, episodes=one_shot.episodes, shots=shots, seed=settings.seed
        )
        for shots in sorted(one_shot.shots)
    }
    found = []
    for method in METHODS:
        made = {seed: transform_features(method, net.unseen, net.seen, net.seen_labels) for seed, net in nets.items()}
        for group in groups(list(nets)):
            given = np.concatenate([made[seed] for seed in group], axis=1), first.labels, classes
            counts = {f"{shots} {method}": classify_episodes(*given, support) for shots, support in draws.items()}
            if method == "raw":
                counts = {"report's protocol, raw": report_protocol.run(*given, **protocol).confusions} | counts
            known = {"nets": len(group), "seeds": " ".join(map(str, group))}
            found += [
                {**known, "setting": setting, "accuracy": accuracy(matrices).mean()}
                for setting, matrices in counts.items()
            ]
    return found


def one(recipe: str, *runs: Path) -> None:
    """Evaluate the ensembles of one recipe's runs."""
    settings = study.enter()
    nets = {int(run.name.rpartition("-")[2]): read(run, settings.cifar10.unseen_classes) for run in runs}
    study.write_part("ensembles", recipe, pd.DataFrame(rows(nets, settings)).assign(recipe=recipe))


if __name__ == "__main__":
    study.main(__doc__, one, lambda: study.write_table("ensembles", study.parts("ensembles")))
