"""Folds of the base classes: narrow nets that learn three of them, for the other three to be classified.

The novel classes choose nothing, so what is chosen for one-shot learning is chosen on these folds. A net learns one
vehicle and two animals; the other vehicle and the other two animals are new to it. With no animal among its classes, a
net cannot distinguish any.
"""

import itertools
from pathlib import Path
from typing import NamedTuple

from oneshot.convnet.params import ConvnetParams, Recipe
from oneshot.core import environment, files
from oneshot.core.environment import ComputeParams
from oneshot.core.images import LabelledImages
from oneshot.core.params import Schema, Seed
from oneshot.datasets import cifar10
from oneshot.splits.params import Cifar10Params
from oneshot.splits.split import split_classes

VEHICLES, ANIMALS = (0, 1), (2, 3, 4, 5)
# A third of the report's widths, and with half of the images fewer epochs than the 6-class net: a minute per fold.
WIDTHS, UNITS = ((33, 33), (66, 66, 133)), 200
EPOCHS = [(16, 2)]
SCRATCH = Path(".checkpoints/folds")


class FoldParams(Schema):
    """The parameters that the narrow nets' training reads."""

    compute: ComputeParams
    seed: Seed
    cifar10: Cifar10Params
    convnet: ConvnetParams

    def recipe(self) -> Recipe:
        """Return the recipe of the 6-class net with the folds' epochs."""
        return Recipe(epochs=EPOCHS, **dict(self.convnet.recipe))


class Fold(NamedTuple):
    """Classes that a net learns, and classes that are new to it: labels of CIFAR-10."""

    base: tuple[int, ...]
    novel: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name the fold by the classes that its net learns, such as "0-23"."""
        return f"{self.base[0]}-{''.join(map(str, self.base[1:]))}"


def all_folds() -> list[Fold]:
    """List the twelve folds; the first six have each choice of two animals once, and each vehicle three times."""
    pairs = list(itertools.combinations(ANIMALS, 2))
    chosen = [(VEHICLES[(place + turn) % 2], *pair) for turn in (0, 1) for place, pair in enumerate(pairs)]
    return [Fold(base, tuple(label for label in VEHICLES + ANIMALS if label not in base)) for base in chosen]


def parts_of(fold: Fold, data: LabelledImages, params: FoldParams) -> dict[str, LabelledImages]:
    """Return the official training images of a fold: train, validation (of its base classes) and novel."""
    settings = params.cifar10.validation_per_class, params.cifar10.limit_per_class, params.seed
    splits = split_classes(data.labels, cifar10.TRAINING, list(fold.base), *settings)
    others = split_classes(data.labels, cifar10.TRAINING, list(fold.novel), *settings)
    positions = {"train": splits["train"], "validation": splits["validation"], "novel": others["train"]}
    return data.parts(positions)


def trained_net(fold: Fold, parts: dict[str, LabelledImages], params: FoldParams, folder: Path = SCRATCH):
    """Train the narrow net of a fold, or read it if an earlier run has; a cut-off training resumes after its epoch."""
    from oneshot.convnet import net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    recipe = params.recipe()
    seed_initialisation(params.seed)
    model = net.build(
        len(fold.base),
        widths=WIDTHS,
        units=UNITS,
        batch_norm=recipe.batch_norm,
        dropout_maps=recipe.dropout_maps,
        dropout_units=recipe.dropout_units,
    )
    path = folder / f"{fold.name}.weights.h5"
    if path.exists():
        files.read_weights(path, model)
        return model
    train, validation = (parts[part].relabelled(fold.base) for part in ("train", "validation"))
    fixed = environment.determinants(params.compute)
    checkpoint = Checkpoint(folder, fold.name, recipe.model_dump_json(), str(params.seed), fixed)
    options = {"seed": params.seed, "checkpoint": checkpoint, "on_epoch": lambda row: None}
    training.train(model, train, validation, recipe, **options)
    files.write_weights(path, model)
    checkpoint.delete()
    return model
