"""Folds of the seen classes: narrow nets are trained on three of them, and the three held out are classified.

The unseen classes choose nothing, so what is chosen for one-shot learning is chosen on these folds. A net is
trained on one vehicle and two animals; the other vehicle and the other two animals are held out. With only one
animal among its classes, a net cannot tell others apart.
"""

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from study import ROOT, Params

from oneshot.convnet.params import Recipe
from oneshot.core import environment, files
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages, first_of_each
from oneshot.core.params import validate
from oneshot.datasets import cifar10
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes
from oneshot.evaluation.few_shot import sample
from oneshot.evaluation.transductive import classify_together
from oneshot.evaluation.transforms import SHRINKAGE, Layers, Task, layers_of
from oneshot.splits.split import split_classes

VEHICLES, ANIMALS = (0, 1), (2, 3, 4, 5)
# A third of the report's widths, on images shrunk to 16x16: cheap enough for many trainings.
WIDTHS, UNITS = ((33, 33), (66, 66, 133)), 200
SIDE, EPOCHS = 16, 2
HELD_OUT_PER_CLASS, TRAINED_PER_CLASS = 1500, 1200  # images whose features are used
SHOTS, EPISODES, TOGETHER_EPISODES = (1, 5), 600, 96
SCRATCH = ROOT / ".checkpoints/folds"


class Arm(NamedTuple):
    """A way to classify: by the nearest class mean of transformed features or, `together`, by soft k-means."""

    method: str
    shrinkage: float = SHRINKAGE
    together: bool = False


def all_folds() -> dict[str, tuple[list[int], list[int]]]:
    """Six folds, with each choice of two animals once, and each vehicle three times, by name, such as "0-23".

    Each is the classes that a net is trained on, which the name lists, and the classes held out from it.
    """
    chosen = [[VEHICLES[place % 2], *pair] for place, pair in enumerate(itertools.combinations(ANIMALS, 2))]
    held_out = [[label for label in (*VEHICLES, *ANIMALS) if label not in trained] for trained in chosen]
    return {"{}-{}{}".format(*trained): (trained, rest) for trained, rest in zip(chosen, held_out, strict=True)}


def features_of(fold: str, data: LabelledImages, params: Params, changes: Mapping[str, object]) -> Task:
    """Train the net of a fold by a changed recipe, or read it if it is in SCRATCH, and represent images by it.

    Raises UserError if there is no fold of that name. Only official training images of its classes are used. An
    interrupted training resumes after its last epoch.
    """
    from oneshot.convnet import inference, net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    if fold not in all_folds():
        raise UserError(f"there is no fold {fold}: name one of {', '.join(all_folds())}")
    training.check_precision(precision := params.compute.precision)
    classes = all_folds()[fold]
    settings = params.cifar10.validation_per_class, params.cifar10.limit_per_class, params.seed
    trained, held_out = (
        data.parts(split_classes(data.labels, cifar10.TRAINING, group, *settings)) for group in classes
    )
    short = params.convnet.recipe_of("6-class").model_dump() | {"resolution_schedule": [(SIDE, EPOCHS)]}
    recipe = validate(short | dict(changes), Recipe)
    seed_initialisation(params.seed)
    # Winograd's convolutions are slower than TensorFlow's for so few filters.
    model = net.build(
        len(classes[0]),
        widths=WIDTHS,
        units=UNITS,
        precision=precision,
        batch_norm=recipe.batch_norm,
        dropout_maps=recipe.dropout_maps,
        dropout_flatten=recipe.dropout_flatten,
        dropout_units=recipe.dropout_units,
    )
    fixed = recipe.model_dump_json(), str((WIDTHS, UNITS)), str((params.seed, params.cifar10)), precision
    name = "-".join([fold, str(params.seed), *(f"{key}={value}" for key, value in changes.items())])
    checkpoint = Checkpoint(SCRATCH, name, *fixed, environment.determinants(params.compute))
    path = checkpoint.path.with_suffix(".weights.h5")
    if path.exists():
        files.read_weights(path, model)
    else:
        train, validation = (trained[part].relabelled(classes[0]) for part in ("train", "validation"))
        options = {"seed": params.seed, "checkpoint": checkpoint, "on_epoch": lambda row: None}
        training.train(model, train, validation, recipe, **options)
        files.write_weights(path, model)
        checkpoint.delete()
    plain = net.fold(model)

    def represented(images: LabelledImages) -> Layers:
        return layers_of(inference.extract_features(plain, images.images, side=SIDE), np.arange(len(images.labels)))

    new = first_of_each(held_out["train"], HELD_OUT_PER_CLASS)
    known = first_of_each(trained["train"], TRAINED_PER_CLASS)
    return Task(represented(new), new.labels, represented(known), known.labels)


def measure(task: Task, arms: Mapping[str, Arm], seed: int) -> pd.DataFrame:
    """Accuracy of each arm on the held-out classes, with the same draws: columns arm, shots, accuracy."""
    classes = np.unique(task.labels).tolist()
    made = {name: task.transformed(arm.method, shrinkage=arm.shrinkage) for name, arm in arms.items()}
    rows = []
    for _, shots, support, _ in sample(task.labels, classes, shots=SHOTS, episodes=EPISODES, seed=seed):
        for name, arm in arms.items():
            classify, most = (classify_together, TOGETHER_EPISODES) if arm.together else (classify_episodes, EPISODES)
            counts = classify(made[name], task.labels, classes, support[:most])
            rows.append((name, shots, float(accuracy(counts).mean())))
    return pd.DataFrame(rows, columns=["arm", "shots", "accuracy"])


def mean_and_interval(values: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Means over the rows, one per fold, and the half-widths of their 95% intervals by Student's t; nan of one fold."""
    return values.mean(), stats.t.ppf(0.975, max(1, len(values) - 1)) * values.std() / np.sqrt(len(values))
