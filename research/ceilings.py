"""Measure what limits one-shot accuracy on unseen digits: raw pixels, and siamese nets in 2 to 64 dimensions.

Each net is trained with several seeds, on the same images; all are evaluated in the same episodes: with the embedding
of each image, with the mean embedding of nine views of it (test-time averaging), with the net's last maps, whitened,
and with the embeddings by the nets of all seeds side by side, so that squared distances add up.

    python ceilings.py DIMENSIONS SEED    train and evaluate one net: parts/ceilings/DIMENSIONS-SEED.csv and .npy
    python ceilings.py                    tables/ceilings.csv of all parts, raw pixels and nets together
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import study

from oneshot.core import environment
from oneshot.core.files import read_array, write_array
from oneshot.datasets import mnist
from oneshot.evaluation.few_shot import few_shot_accuracy
from oneshot.evaluation.transforms import transform_features
from oneshot.siamese.params import Recipe

PARTS = Path("parts/ceilings")
SHIFT = 2  # pixels between the views of an image; chosen on folds of the seen digits (docs/log/recipe.md)


def table_of(net: str, seed: int | None, features: np.ndarray, labels: np.ndarray, settings: study.Params):
    """Classify the unseen digits: features (n, d), labels (n,) of test images -> a row per number of shots."""
    one_shot, classes = settings.one_shot, settings.mnist.unseen_digits
    many = {"shots": one_shot.shots, "episodes": one_shot.episodes, "seed": settings.seed}
    found = few_shot_accuracy(features, labels, classes=classes, purpose="unseen", **many)
    return found.assign(net=net, seed=pd.array([seed], "Int64")[0])[["net", "shots", "seed", "accuracy"]]


def mean_over_views(embed: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """Average the embeddings of images (n, 28, 28, 1) and of the same shifted by SHIFT to the eight sides: (n, d)."""
    size = images.shape[1]
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    places = (0, SHIFT, 2 * SHIFT)
    return np.mean([embed(padded[:, y : y + size, x : x + size]) for y in places for x in places], axis=0)


def one(dimensions: int, seed: int) -> None:
    """Train a siamese net as the stage train_siamese does, and evaluate it; interrupted, it resumes."""
    settings = study.enter()
    parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
    from oneshot.siamese import net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.maps import last_maps
    from oneshot.training.prediction import embedder
    from oneshot.training.tensorflow import seed_initialisation

    recipe = Recipe(margin=settings.margin, **settings.siamese.model_dump())
    train, validation, test = (parts[name] for name in ("seen_train", "seen_validation", "unseen_test"))
    seed_initialisation(seed)
    model = net.build(dimensions, recipe.dropout)
    fixed = recipe.model_dump_json(), str(dimensions), str(seed), environment.determinants(settings.compute)
    checkpoint = Checkpoint(".checkpoints", f"ceilings-{dimensions}-{seed}", *fixed, *train, *validation)
    options = {"seed": seed, "checkpoint": checkpoint, "on_epoch": lambda metrics: None}
    training.train(model, train, validation, recipe, **options)
    embed, read_maps, name = embedder(model), embedder(last_maps(model)), f"siamese-{dimensions}d"
    embedded = embed(test.images)
    maps, known = ({"maps": read_maps(part.images)[None]} for part in (test, validation))
    vectors = {
        name: embedded,
        f"{name}, nine views": mean_over_views(embed, test.images),
        f"{name}, maps_whitened": transform_features("maps_whitened", maps, known, validation.labels),
    }
    found = [table_of(title, seed, features, test.labels, settings) for title, features in vectors.items()]
    study.write_part("ceilings", f"{dimensions}-{seed}", pd.concat(found))
    write_array(PARTS / f"{dimensions}-{seed}.npy", embedded)
    checkpoint.delete()


def collect() -> None:
    """Join the tables of all parts, with raw pixels first and the nets of each size together after them."""
    settings = study.enter()
    parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
    test, sizes = parts["unseen_test"], {}
    for path in sorted(PARTS.glob("*.csv"), key=lambda path: [int(number) for number in path.stem.split("-")]):
        sizes.setdefault(path.stem.split("-")[0], []).append(path)
    tables = [table_of("raw pixels", None, test.images.reshape(len(test.labels), -1), test.labels, settings)]
    for dimensions, paths in sizes.items():
        tables += [pd.read_csv(path) for path in paths]
        together = np.concatenate([read_array(path.with_suffix(".npy")) for path in paths], axis=1)
        name = f"siamese-{dimensions}d, {len(paths)} nets together"
        tables.append(table_of(name, None, together, test.labels, settings))
    study.write_table("ceilings", pd.concat([table.astype({"seed": "Int64"}) for table in tables]))


if __name__ == "__main__":
    study.main(__doc__, one, collect)
