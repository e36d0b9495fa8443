"""Small made-up results for the tests of the page, without data sets, nets and DVC."""

import copy
from collections.abc import Mapping

import numpy as np
import pandas as pd

from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10, mnist
from oneshot.evaluation.confusion import to_table
from oneshot.evaluation.episodes import choose_images
from oneshot.evaluation.projections import point_table
from oneshot.nets.table import PHOTOGRAPHS
from oneshot.page.results import EMBEDDINGS, Results

PARAMS = {
    "seed": 1,
    "margin": 1.0,
    "cifar10": {"seen_classes": [0, 1, 2, 3, 4, 5], "unseen_classes": [6, 7, 8, 9]},
    "mnist": {"seen_digits": [0, 1, 2, 3, 4], "unseen_digits": [5, 6, 7, 8, 9]},
    "convnet": {
        "recipe": {
            "augmentation": {
                "rotation": 0.0,
                "width_shift": 0.125,
                "height_shift": 0.125,
                "shear": 0.0,
                "zoom": 0.0,
                "flip": "alternating",
                "fill": "reflect",
                "interpolation": "nearest",
            }
        }
    },
    "one_shot": {"images_per_class": 9, "draws": 3, "shots": [1, 5], "methods": ["raw", "unit"], "episodes": 40}
    | {"transductive_methods": ["unit"], "transductive_episodes": 4},
    "pictures": {"images_per_class": 6},
}
DRAWING_NET = {
    "conv1.kernel": (32, 1, 3, 3),
    "conv1.bias": (32,),
    "conv2.kernel": (64, 32, 4, 4),
    "conv2.bias": (64,),
    "embedding.kernel": (3136, 2),
    "embedding.bias": (2,),
}
EACH = 10  # images of each class


def params(changes: Mapping[str, object]) -> dict:
    """PARAMS with some values replaced: {"one_shot.shots": [2]}."""
    changed = copy.deepcopy(PARAMS)
    for key, value in changes.items():
        *groups, name = key.split(".")
        group = changed
        for step in groups:
            group = group[step]
        assert name in group, key
        group[name] = value
    return changed


def made_up(**changes: object) -> Results:
    """Results of every kind, with ten images per class, representations of 12 units, and three epochs.

    changes: other parameters, with `__` for the dot: one_shot__shots=[2, 10].
    """
    settings = params({key.replace("__", "."): value for key, value in changes.items()})
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), EACH).astype(np.uint8)
    labels = labels[rng.permutation(len(labels))]
    places = np.arange(len(labels))
    unseen = settings["cifar10"]["unseen_classes"]
    digits = {group: settings["mnist"][f"{group}_digits"] for group in ("seen", "unseen")}
    groups = digits | {"all": sorted(digits["seen"] + digits["unseen"])}
    shots = settings["one_shot"]["shots"]

    accuracy = {"accuracy": 0.5, "interval_95": 0.01}
    pairs = {group: {"test": {"loss": 0.1, "accuracy": 0.9, "auc": 0.95}} for group in digits}
    reached = dict(zip(("seen", "all", "unseen"), (0.6, 0.4, 0.5), strict=True))
    few_shot = {group: {f"shot_{count}": {"accuracy": reached[group]} for count in shots} for group in groups}
    by_maps = {name: found | {"maps_whitened": {"accuracy": 0.75}} for name, found in few_shot["unseen"].items()}
    tested = {"test": {"accuracy": 0.9, "loss": 0.3}, "test_flip_averaged": {"accuracy": 0.91, "loss": 0.2}}
    curve = pd.DataFrame(
        [
            (epoch, part, metric, 0.4 - epoch / 10)
            for epoch in (1, 2, 3)
            for part in ("training", "validation")
            for metric in ("loss", "accuracy")
        ],
        columns=["epoch", "part", "metric", "value"],
    )
    counts = {group: rng.integers(1, 20, (len(classes), len(classes))) for group, classes in groups.items()}
    confusion = pd.concat(
        [
            to_table(counts[group], [mnist.NAMES[label] for label in classes]).assign(part=group, shots=min(shots))
            for group, classes in groups.items()
        ]
    )
    chosen = unseen_images(labels, settings)
    points = np.stack([np.arange(len(chosen)), np.arange(len(chosen)) ** 2], axis=1).astype(float)
    methods = [
        (f"{count}-shot {method}", count, method, 0.5 + count / 100 + place / 1000, 0.01, place / 1000, 0.001)
        for count in sorted(shots)
        for place, method in enumerate(settings["one_shot"]["methods"])
    ]
    return Results(
        params=settings,
        cifar10=LabelledImages(rng.integers(256, size=(len(labels), 32, 32, 3), dtype=np.uint8), labels, places),
        mnist=LabelledImages(rng.integers(256, size=(len(labels), 28, 28), dtype=np.uint8), labels, places),
        checksums={"a.bin": "0" * 64},
        features={
            "6-class": stored(rng, labels, 12),
            **{net: stored(rng, labels, 3 if net.endswith("3d") else 2) | last_maps(rng, labels) for net in EMBEDDINGS},
        },
        drawing_net={
            "scale": np.float32(1 / 255),
            **{name: rng.normal(size=shape).astype(np.float32) for name, shape in DRAWING_NET.items()},
        },
        metrics={
            **{f"train_convnet/{net}": tested for net in PHOTOGRAPHS},
            "one_shot_cifar10": {
                "report_protocol": accuracy,
                "episodes": {f"shot_{count}": {"raw": accuracy, "unit": accuracy} for count in shots},
            },
            **{f"train_siamese/{net}": pairs for net in ("siamese-2d", "siamese-3d")},
            **{f"train_dense_embedding/{net}": {"test": tested["test"]} for net in ("dense-all", "dense-seen")},
            **{f"one_shot_mnist/{net}": few_shot for net in EMBEDDINGS},
            **{f"one_shot_mnist/siamese-{size}d": few_shot | {"unseen": by_maps} for size in (2, 3)},
        },
        curves=dict.fromkeys((*PHOTOGRAPHS, *EMBEDDINGS), curve),
        confusion={
            "one_shot_cifar10": to_table(np.eye(len(unseen), dtype=int), [cifar10.NAMES[label] for label in unseen]),
            **dict.fromkeys(EMBEDDINGS, confusion),
        },
        scatter={
            "one_shot_cifar10": pd.concat(
                [point_table(points, labels[chosen], cifar10.NAMES, part) for part in ("PCA (8% and 5%)", "t-SNE")]
            ),
            **{net: point_table(np.zeros((0, 2)), labels[:0], mnist.NAMES, "seen") for net in EMBEDDINGS},
        },
        methods=pd.DataFrame(
            methods,
            columns=["setting", "shots", "method", "accuracy", "interval_95", "gain_over_raw", "gain_interval_95"],
        ),
        together=pd.DataFrame(
            [(f"{count}-shot unit", count, "unit", 0.6, 0.02, 0.08, 0.01) for count in sorted(shots)],
            columns=[
                "setting",
                "shots",
                "method",
                "accuracy",
                "interval_95",
                "gain_over_inductive",
                "gain_interval_95",
            ],
        ),
        studies=studies(),
        stale={},
    )


def studies() -> dict[str, pd.DataFrame]:
    """A table of each study."""
    return {
        "sweep": pd.DataFrame(
            [
                (0.5, "siamese-2d", 0.7, 1, 0.4, 0.9),
                (1.0, "siamese-2d", 0.8, 1, 0.5, 0.9),
                (1.0, "siamese-3d", 0.8, 1, 0.5, 0.9),
            ],
            columns=["margin", "net", "unseen_auc", "shots", "unseen_accuracy", "seen_auc"],
        ),
        "seeds": trainings(0.9, 0.88),
        "seeds_thorough": trainings(0.91),
        "report_recipe": pd.DataFrame(
            [
                ("ours", 1, 10.0, 1.0, 0.6, 1.0, 0.6, None, None),
                ("ours", 2, 20.0, 0.5, 0.8, 0.5, 0.8, 0.5, 0.81),
                ("report", 1, 15.0, 1.5, 0.4, 1.5, 0.4, 1.5, 0.41),
            ],
            columns=[
                *("training", "epoch", "minutes", "training_loss", "training_accuracy"),
                *("validation_loss", "validation_accuracy", "test_loss", "test_accuracy"),
            ],
        ),
        "ceilings": pd.DataFrame(
            [("raw pixels", 1, None, 0.5), ("siamese-2d", 1, 1, 0.6), ("siamese-2d", 1, 2, 0.7)],
            columns=["net", "shots", "seed", "accuracy"],
        ),
        "ensembles": pd.DataFrame(
            [
                *[(1, seed, "1-shot raw", 0.6 + 0.1 * place) for place, seed in enumerate("12")],
                (2, "1 2", "1-shot raw", 0.75),
            ],
            columns=["nets", "seeds", "setting", "accuracy"],
        ),
        "baselines": pd.DataFrame(
            [("plain", "raw", 1, 0.55, 0.01, 3), ("plain", "raw", 5, 0.7, 0.02, 3), ("pixels", "raw", 1, 0.3, None, 1)],
            columns=["arm", "method", "shots", "accuracy", "interval_95", "trainings"],
        ),
        "other_methods": pd.DataFrame(
            [("easyfsl", "PTMAP", True, 1, 0.7, 0.01, 200.0), ("here", "raw", False, 1, 0.6, 0.01, 4.0)],
            columns=["library", "method", "transductive", "shots", "accuracy", "interval_95", "milliseconds"],
        ),
        "class_splits": pd.DataFrame(
            [("MNIST", "raw", 1, 0.6, 0.5, 0.1, 0.4, 0.7, 2, 8)],
            columns=[*("data", "method", "shots", "given", "mean", "deviation"), "lowest", "highest", "rank", "splits"],
        ),
        "minutes": pd.DataFrame(
            [("split", 0.5, "a processor", 2, "2.21.0")],
            columns=["stage", "minutes", "processor", "threads", "tensorflow"],
        ),
    }


def trainings(*accuracies: float) -> pd.DataFrame:
    """A table of seeds with one metric besides one of a digit net."""
    rows = [(seed, "a processor", "12345678", value, 0.5) for seed, value in enumerate(accuracies, 1)]
    metrics = ["10-class net, test accuracy", "siamese-2d, seen digits, AUC"]
    return pd.DataFrame(rows, columns=["seed", "machine", "inputs", *metrics])


def unseen_images(labels: np.ndarray, settings: Mapping) -> np.ndarray:
    """Positions in the data set of the pictured unseen images, chosen as in the stage one_shot_cifar10."""
    unseen = settings["cifar10"]["unseen_classes"]
    places = np.flatnonzero(np.isin(labels, unseen))
    count = settings["pictures"]["images_per_class"]
    return places[choose_images(labels[places], unseen, count, settings["seed"], "pictures")]


def stored(rng: np.random.Generator, labels: np.ndarray, dimensions: int) -> dict[str, np.ndarray]:
    """Representations as the stages store them."""
    return {
        "embeddings": rng.normal(size=(len(labels), dimensions)).astype(np.float32) + labels[:, None],
        "labels": labels,
        "indices": np.arange(len(labels)),
    }


def last_maps(rng: np.random.Generator, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Last maps as the training of a digit net stores them: of test images, and of images of seen digits."""
    seen = np.repeat(np.arange(5), 6).astype(np.uint8)
    maps, known = (rng.random((len(of), 576), np.float32) + of[:, None] for of in (labels, seen))
    return {"maps": maps, "seen_maps": known, "seen_labels": seen}
