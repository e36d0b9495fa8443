"""Narrow nets on shrunk photographs, cheap enough for many trainings: what several studies share."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from study import Params

from oneshot.core.images import LabelledImages, first_of_each
from oneshot.datasets import cifar10
from oneshot.evaluation.few_shot import few_shot_accuracy
from oneshot.evaluation.transforms import Task, layers_of
from oneshot.splits.split import split_classes

WIDTHS, UNITS, SIDE = ((33, 33), (66, 66, 133)), 200, 16  # a third of the report's widths
HELD_OUT = 1500  # images of each class that a net is not trained on
SHOTS, EPISODES = (1, 5), 2000
METHODS = ("raw", "cl2n", "flip_prerelu_gap_whitened")
VEHICLES, ANIMALS = (0, 1), (2, 3, 4, 5)


def photographs(trained_on: list[int], held_out: list[int], params: Params, seen: int = 400):
    """Read official training images of some classes of CIFAR-10, to train a net on some of them.

    Returns four sets: to train it and to validate it (labels 0 .. classes - 1), `seen` of each of its classes for
    statistics, and HELD_OUT of each other class.
    """
    data = cifar10.read("data/raw/cifar10")
    settings = params.cifar10.validation_per_class, params.cifar10.limit_per_class, params.seed
    own, others = (
        data.parts(split_classes(data.labels, cifar10.TRAINING, classes, *settings))
        for classes in (trained_on, held_out)
    )
    train, validation = (own[part].relabelled(trained_on) for part in ("train", "validation"))
    return train, validation, first_of_each(own["train"], seen), first_of_each(others["train"], HELD_OUT)


def folds() -> dict[str, tuple[list[int], list[int]]]:
    """The classes that a net is trained on and those held out, by name, such as "0-23": each pair of animals once.

    The unseen classes choose nothing, so choices are made on these folds of the seen ones. With only one animal among
    its classes, a net cannot tell others apart.
    """
    chosen = [[VEHICLES[place % 2], *pair] for place, pair in enumerate(itertools.combinations(ANIMALS, 2))]
    held_out = [[label for label in (*VEHICLES, *ANIMALS) if label not in trained] for trained in chosen]
    return {"{}-{}{}".format(*trained): (trained, rest) for trained, rest in zip(chosen, held_out, strict=True)}


def build(train: LabelledImages, params: Params, changes: Mapping[str, object], epochs: int = 3):
    """Build a narrow net to train on images; return it and the 6-class net's recipe, with changes and short."""
    from oneshot.convnet import net, training
    from oneshot.training.tensorflow import seed_initialisation

    training.check_precision(precision := params.compute.precision)
    changed = {"resolution_schedule": [(SIDE, epochs)], **changes}
    recipe = params.convnet.recipe_of("6-class").model_copy(update=changed)
    options = recipe.model_dump(include={"batch_norm", "dropout_maps", "dropout_flatten", "dropout_units"})
    seed_initialisation(params.seed)
    # Winograd's convolutions are slower than TensorFlow's for so few filters.
    classes = len(np.unique(train.labels))
    return net.build(classes, widths=WIDTHS, units=UNITS, precision=precision, **options), recipe


def represent(model, seen: LabelledImages, held_out: LabelledImages) -> Task:
    """Represent images by a narrow net: of classes that it was trained on, for statistics, and of others."""
    from oneshot.convnet import inference, net

    plain = net.fold(model)

    def layers(images: LabelledImages):
        return layers_of(inference.extract_features(plain, images.images, side=SIDE), np.arange(len(images.labels)))

    return Task(layers(held_out), held_out.labels, layers(seen), seen.labels)


def by_methods(task: Task) -> dict[str, np.ndarray]:
    """The features of the held-out images by each of METHODS: (n, d)."""
    return {method: task.transformed(method) for method in METHODS}


def measure(features: Mapping[str, np.ndarray], labels: np.ndarray, seed: int) -> pd.DataFrame:
    """Classify all images from few examples by each method's features (n, d): columns method, shots, accuracy."""
    many = {"shots": SHOTS, "episodes": EPISODES, "seed": seed}
    tables = [few_shot_accuracy(values, labels, **many).assign(method=name) for name, values in features.items()]
    return pd.concat(tables).sort_values("shots", kind="stable").reindex(columns=["method", "shots", "accuracy"])
