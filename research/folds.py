"""Folds of the seen classes: narrow nets are trained on three of them, and the three held out are classified.

The unseen classes choose nothing, so what is chosen for one-shot learning is chosen on these folds. A net is
trained on one vehicle and two animals; the other vehicle and the other two animals are held out. With only one
animal among its classes, a net cannot tell others apart.
"""

import itertools
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from oneshot.convnet.params import ConvnetParams, Recipe
from oneshot.core import files
from oneshot.core.environment import TrainingComputeParams
from oneshot.core.environment import determinants as determinants_of
from oneshot.core.images import LabelledImages, first_of_each
from oneshot.core.params import Schema, Seed, validate
from oneshot.datasets import cifar10
from oneshot.evaluation.transforms import Layers, layers_of
from oneshot.splits.params import Cifar10Params
from oneshot.splits.split import split_classes

VEHICLES, ANIMALS = (0, 1), (2, 3, 4, 5)
# A third of the report's widths, on images shrunk to 16x16: cheap enough for many trainings.
WIDTHS, UNITS = ((33, 33), (66, 66, 133)), 200
SIDE, EPOCHS = 16, 2
HELD_OUT_PER_CLASS, TRAINED_PER_CLASS = 1500, 1200  # images whose features are used
SCRATCH = Path(__file__).resolve().parents[1] / ".checkpoints/folds"


class FoldParams(Schema):
    """The parameters that the narrow nets' training reads."""

    compute: TrainingComputeParams
    seed: Seed
    cifar10: Cifar10Params
    convnet: ConvnetParams

    def recipe(self, changes: Mapping[str, object]) -> Recipe:
        """Return the recipe of the 6-class net with the folds' epochs and some changed values."""
        return validate(
            self.convnet.recipe_of("6-class").model_dump() | {"resolution_schedule": [(SIDE, EPOCHS)]} | dict(changes),
            Recipe,
        )


class Fold(NamedTuple):
    """Classes that a net is trained on, and classes held out from it: labels of CIFAR-10."""

    trained: tuple[int, ...]
    held_out: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name the fold by the classes that its net is trained on, such as "0-23"."""
        return f"{self.trained[0]}-{''.join(map(str, self.trained[1:]))}"


class FoldFeatures(NamedTuple):
    """What `transform_features` and the evaluations take: layers and labels of held-out and of trained classes."""

    held_out: Layers
    trained: Layers
    trained_labels: np.ndarray
    held_out_labels: np.ndarray


def all_folds() -> list[Fold]:
    """List the twelve folds; the first six have each choice of two animals once, and each vehicle three times."""
    pairs = list(itertools.combinations(ANIMALS, 2))
    chosen = [(VEHICLES[(place + turn) % 2], *pair) for turn in (0, 1) for place, pair in enumerate(pairs)]
    return [Fold(trained, tuple(label for label in VEHICLES + ANIMALS if label not in trained)) for trained in chosen]


def features_of(fold: Fold, data: LabelledImages, params: FoldParams, changes: Mapping[str, object]) -> FoldFeatures:
    """Train the net of a fold by a changed recipe, or read it if it is in SCRATCH, and represent images by it.

    Only official training images of the fold's classes are used. An interrupted training resumes after its last epoch.
    """
    from oneshot.convnet import inference, net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    settings = params.cifar10.validation_per_class, params.cifar10.limit_per_class, params.seed
    trained, held_out = (
        data.parts(split_classes(data.labels, cifar10.TRAINING, list(classes), *settings)) for classes in fold
    )
    recipe = params.recipe(changes)
    determinants = (
        recipe.model_dump_json(),
        str((WIDTHS, UNITS)),
        str(params.seed),
        str(params.cifar10),
        determinants_of(params.compute),
    )
    precision = params.compute.precision
    if precision != "float32":
        training.check_precision(precision)
        determinants += (precision,)
    folder = SCRATCH / sha256(repr(determinants).encode()).hexdigest()[:8]
    seed_initialisation(params.seed)
    # Winograd's convolutions are slower than TensorFlow's for so few filters.
    model = net.build(
        len(fold.trained),
        widths=WIDTHS,
        units=UNITS,
        precision=precision,
        batch_norm=recipe.batch_norm,
        dropout_maps=recipe.dropout_maps,
        dropout_flatten=recipe.dropout_flatten,
        dropout_units=recipe.dropout_units,
    )
    checkpoint = Checkpoint(folder, fold.name, *determinants)
    path = checkpoint.path.with_suffix(".weights.h5")
    if path.exists():
        files.read_weights(path, model)
    else:
        train, validation = (trained[part].relabelled(fold.trained) for part in ("train", "validation"))
        options = {"seed": params.seed, "checkpoint": checkpoint, "on_epoch": lambda row: None}
        training.train(model, train, validation, recipe, **options)
        files.write_weights(path, model)
        checkpoint.delete()
    plain = net.fold(model)

    def represented(images: LabelledImages) -> Layers:
        return layers_of(inference.extract_features(plain, images.images, side=SIDE), np.arange(len(images.labels)))

    new = first_of_each(held_out["train"], HELD_OUT_PER_CLASS)
    known = first_of_each(trained["train"], TRAINED_PER_CLASS)
    return FoldFeatures(represented(new), represented(known), known.labels, new.labels)
