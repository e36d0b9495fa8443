"""Classify the unseen CIFAR-10 classes by the 6-class nets of several trainings together.

The trainings differ in their seed. What a method makes of an image by each net is put side by side, so that the squared
distances by the nets add up (Dvornik et al. 2019 combine nets for few-shot learning in other ways). All ensembles, of
one net too, get the same episodes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import study

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.evaluation import report_protocol
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes
from oneshot.evaluation.few_shot import sample
from oneshot.evaluation.transforms import Task, task_of

# The report's, and the best with one view and with two (tables/choice.csv).
METHODS = ("raw", "prerelu_gap_whitened", "flip_prerelu_gap_whitened")


def require_the_same_images(runs: Sequence[Mapping[str, np.ndarray]], classes: Sequence[int]) -> None:
    """Raise UserError unless runs, the arrays of each net, have the same images of some classes; others may differ."""
    found = [run["indices"][np.isin(run["labels"], classes)] for run in runs]
    if any(not np.array_equal(other, found[0]) for other in found):
        raise UserError(
            "with cifar10.limit_per_class, seeds have other unseen images: leave it empty in params.yaml and the recipe"
        )


def groups(seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """List the ensembles: each seed alone, each with the next one (the last with the first), and all together."""
    pairs = zip(seeds, [*seeds[1:], seeds[0]], strict=True) if len(seeds) > 2 else ()
    return [*((seed,) for seed in seeds), *pairs, tuple(seeds)]


def rows(nets: dict[int, Task], settings: study.Params) -> list[dict]:
    """Evaluate the ensembles of nets with these seeds: a row for each and each setting, with the mean accuracy."""
    one_shot, classes = settings.one_shot, settings.cifar10.unseen_classes
    labels = next(iter(nets.values())).labels
    protocol = {"images_per_class": one_shot.images_per_class, "draws": one_shot.draws, "seed": settings.seed}
    asked = {"shots": one_shot.shots, "episodes": one_shot.episodes, "queries": one_shot.queries}
    sampled = sample(labels, classes, seed=settings.seed, **asked)
    found = []
    for method in METHODS:
        made = {seed: task.transformed(method) for seed, task in nets.items()}
        for group in groups(list(nets)):
            given = np.concatenate([made[seed] for seed in group], axis=1), labels, classes
            counts = {
                f"{draws.shots}-shot {method}": classify_episodes(*given, draws.support, draws.queries)
                for draws in sampled
            }
            if method == "raw":
                counts = {"report's protocol, raw": report_protocol.run(*given, **protocol).confusions} | counts
            known = {"nets": len(group), "seeds": " ".join(map(str, group))}
            for setting, matrices in counts.items():
                found.append({**known, "setting": setting, "accuracy": accuracy(matrices).mean()})
    return found


def evaluate(*runs: Path) -> None:
    """Write the table of the ensembles of some runs, folders RECIPE-SEED that seeds.py made."""
    settings = study.enter()
    data = {int(run.name.rpartition("-")[2]): files.read_arrays(run) for run in runs}
    nets = {seed: task_of(arrays, settings.cifar10.unseen_classes) for seed, arrays in data.items()}
    require_the_same_images(list(data.values()), settings.cifar10.unseen_classes)
    study.write_table("ensembles", pd.DataFrame(rows(nets, settings)))


if __name__ == "__main__":
    study.main(__doc__, evaluate)
