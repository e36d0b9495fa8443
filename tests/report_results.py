"""Small made-up results for the tests of the report page: no data set, no net, no DVC."""

import numpy as np
import pandas as pd

from oneshot.report.contents import CONVNETS, EMBEDDINGS, Results

PARAMS = {
    "seed": 1,
    "margin": 1.0,
    "cifar10": {"base_classes": [0, 1, 2, 3, 4, 5], "novel_classes": [6, 7, 8, 9]},
    "mnist": {"seen_digits": [0, 1, 2, 3, 4], "unseen_digits": [5, 6, 7, 8, 9]},
    "one_shot": {"images_per_class": 9, "draws": 3},
    "projection": {"images_per_class": 6},
}
EACH = 10  # images of each class


def made_up() -> Results:
    """Results of every kind, of ten images a class: representations of 12 units, epochs of three."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), EACH).astype(np.uint8)
    order = rng.permutation(len(labels))
    labels = labels[order]
    accuracy = {"accuracy": 0.5, "accuracy_interval_95": 0.01}
    classes = {f"class_{label}": accuracy | {"recall": 0.5, "precision": 0.5} for label in range(6, 10)}
    confusion = {f"predicted_{p}": {f"reference_{r}": int(p == r) for r in range(6, 10)} for p in range(6, 10)}
    pairs = {group: {"test": {"loss": 0.1, "accuracy": 0.9, "auc": 0.95}} for group in ("seen", "unseen")}
    confused = {"first": "4 with 9", "first_share_of_errors": 0.2, "second": "1 with 7", "second_share_of_errors": 0.1}
    digits = {group: {"shot_1": accuracy | {"confused": confused}} for group in ("seen", "unseen", "all")}
    tested = {"test": {"accuracy": 0.9, "loss": 0.3}}
    curves = {
        f"{part}/{figure}": [0.3, 0.2, 0.1] for part in ("train", "validation") for figure in ("loss", "accuracy")
    }
    novel = np.repeat(np.arange(6, 10), PARAMS["projection"]["images_per_class"])
    points = pd.DataFrame({"a": np.arange(24.0), "b": np.arange(24.0) ** 2, "label": novel})
    return Results(
        params=PARAMS,
        cifar10=(rng.integers(256, size=(len(labels), 32, 32, 3), dtype=np.uint8), labels),
        mnist=(rng.integers(256, size=(len(labels), 28, 28), dtype=np.uint8), labels),
        checksums={"a.bin": "0" * 64},
        features={
            "6-class": stored(rng, labels, 12),
            **{net: stored(rng, labels, 3 if net.endswith("3d") else 2) for net in EMBEDDINGS},
        },
        figures={
            "train_convnet/10-class": tested | {"test_mirror_averaged": {"accuracy": 0.91, "loss": 0.2}},
            "train_convnet/6-class": tested,
            "one_shot_cifar10": {
                "report_protocol": accuracy | classes | {"confusion": confusion},
                "episodes": {f"shot_{shots}": {"raw": accuracy, "unit": accuracy} for shots in (1, 5)},
            },
            "train_siamese/2d": pairs,
            "train_siamese/3d": pairs,
            "train_dense_embedding/all": tested,
            "train_dense_embedding/seen": tested,
            **{f"one_shot_mnist/{net}": digits for net in EMBEDDINGS},
        },
        curves=dict.fromkeys((*CONVNETS, *EMBEDDINGS), curves),
        projections={"pca": points, "tsne": points},
        sweep=pd.DataFrame(
            [(0.5, 2, 0.7, 0.4, 0.9, 3.0), (1.0, 2, 0.8, 0.5, 0.9, 3.0), (1.0, 3, 0.8, 0.5, 0.9, 3.0)],
            columns=["margin", "dimension", "unseen_auc", "unseen_5way_1shot", "seen_auc", "minutes"],
        ),
        seeds=pd.DataFrame(
            [("10-class net, test accuracy", 0.9, 0.01, 2, 0.89, 0.91)],
            columns=["figure", "mean", "deviation", "trainings", "seed_1", "seed_2"],
        ),
        minutes=pd.DataFrame(
            [("split", 0.5, "a processor", 2, "2.21.0")],
            columns=["stage", "minutes", "processor", "threads", "tensorflow"],
        ),
    )


def stored(rng: np.random.Generator, labels: np.ndarray, dimensions: int) -> dict[str, np.ndarray]:
    """Representations as the stages store them."""
    return {
        "embeddings": rng.normal(size=(len(labels), dimensions)).astype(np.float32) + labels[:, None],
        "labels": labels,
        "indices": np.arange(len(labels)),
    }
