"""Measure what limits one-shot accuracy on unseen digits: raw pixels, and siamese nets in 2 to 64 dimensions.

Each net is trained with several seeds, on the same images; all are evaluated in the same episodes: with the embedding
of each image, with the mean embedding of nine views of it (test-time averaging), with the net's last maps, whitened,
and with the embeddings by the nets of all seeds side by side, so that squared distances add up.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import study
import trainings

from oneshot.core.files import read_array, write_array
from oneshot.datasets import mnist
from oneshot.evaluation.few_shot import few_shot_accuracy
from oneshot.evaluation.transforms import transform_features

PARTS = Path("parts/ceilings")
SHIFT = 2  # pixels between the views of an image; chosen on folds of the seen digits (docs/log/recipe.md)


def table_of(net: str, seed: int | None, features: np.ndarray, labels: np.ndarray, settings: study.Params):
    """Classify the unseen digits: features (n, d), labels (n,) of test images -> a row per number of shots."""
    one_shot, classes = settings.one_shot, settings.mnist.unseen_digits
    many = {"shots": one_shot.shots, "episodes": one_shot.episodes, "seed": settings.seed}
    found = few_shot_accuracy(features, labels, classes=classes, purpose="unseen", **many)
    return found.assign(net=net, seed=seed)[["net", "shots", "seed", "accuracy"]].astype({"seed": "Int64"})


def mean_over_views(embed: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """Average the embeddings of images (n, 28, 28, 1) and of the same shifted by SHIFT to the eight sides: (n, d)."""
    size = images.shape[1]
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    places = (0, SHIFT, 2 * SHIFT)
    return np.mean([embed(padded[:, y : y + size, x : x + size]) for y in places for x in places], axis=0)


def one(dimensions: int, seed: int) -> None:
    """Train a siamese net as the stage train_siamese does, and evaluate it."""
    settings, part = study.enter(), f"{dimensions}-{seed}"
    from oneshot.training.maps import last_maps
    from oneshot.training.prediction import embedder

    parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
    train, validation, test = (parts[name] for name in ("seen_train", "seen_validation", "unseen_test"))
    seeded = settings.model_copy(update={"seed": seed})
    model = trainings.siamese_net(dimensions, train, validation, seeded, study.scratch("ceilings", part))
    embed, read_maps, name = embedder(model), embedder(last_maps(model)), f"siamese-{dimensions}d"
    embedded = embed(test.images)
    maps, known = ({"maps": read_maps(images.images)[None]} for images in (test, validation))
    vectors = {
        name: embedded,
        f"{name}, nine views": mean_over_views(embed, test.images),
        f"{name}, maps_whitened": transform_features("maps_whitened", maps, known, validation.labels),
    }
    found = [table_of(title, seed, features, test.labels, settings) for title, features in vectors.items()]
    write_array(PARTS / f"{part}.npy", embedded)
    study.write_part("ceilings", part, pd.concat(found))


def collect() -> None:
    """Join the tables of all parts, with raw pixels first and the nets of each size together after them."""
    settings = study.enter()
    test = mnist.read_parts("data/raw/mnist", "data/splits/mnist")["unseen_test"]
    tables = [table_of("raw pixels", None, test.images.reshape(len(test.labels), -1), test.labels, settings)]
    for dimensions in sorted({int(path.stem.partition("-")[0]) for path in PARTS.glob("*.csv")}):
        paths = sorted(PARTS.glob(f"{dimensions}-*.csv"), key=lambda path: int(path.stem.partition("-")[2]))
        tables += [pd.read_csv(path).astype({"seed": "Int64"}) for path in paths]
        together = np.concatenate([read_array(path.with_suffix(".npy")) for path in paths], axis=1)
        name = f"siamese-{dimensions}d, {len(paths)} nets together"
        tables.append(table_of(name, None, together, test.labels, settings))
    study.write_table("ceilings", pd.concat(tables))


if __name__ == "__main__":
    study.main(__doc__, one, collect)
