"""Measure what limits one-shot accuracy on unseen digits: raw pixels, and siamese nets in 2 to 64 dimensions.

Each net is trained with several seeds, on the same images; all are evaluated in the same episodes: with the embedding
of each image, with the mean embedding of nine views of it (test-time averaging), with the net's last maps, whitened,
and with the embeddings by the nets of all seeds side by side, so that squared distances add up. Writes
research/tables/ceilings.csv. Interrupted, it resumes after the last finished epoch.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from oneshot.core import environment, params
from oneshot.core.errors import UserError
from oneshot.core.files import write_csv
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.few_shot import evaluate_groups
from oneshot.evaluation.transforms import represent
from oneshot.page.sections.ceilings import over_trainings
from tools import inputs
from tools.digit_nets import Params, train

TABLE = Path("research/tables/ceilings.csv")
DIMENSIONS = (2, 3, 16, 64)
SHIFT = 2  # pixels between the views of an image; chosen on folds of the seen digits (docs/recipe.md)


def rows(net: str, seed: int | None, features: np.ndarray, labels: np.ndarray, settings: Params) -> list[dict]:
    """Classify the unseen digits: features (n, d), labels (n,) of test images -> a row per number of shots."""
    one_shot = settings.one_shot
    many = {"shots": one_shot.shots, "episodes": one_shot.episodes, "seed": settings.seed}
    confusions = evaluate_groups(features, labels, {"unseen": settings.mnist.unseen_digits}, **many)
    return [
        {"net": net, "shots": shots, "seed": seed, "accuracy": accuracy(counts).mean()}
        for (_, shots), counts in confusions.items()
    ]


def mean_over_views(embed: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """Average the embeddings of images (n, 28, 28, 1) and of the same shifted by SHIFT to the eight sides: (n, d)."""
    size = images.shape[1]
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    places = (0, SHIFT, 2 * SHIFT)
    return np.mean([embed(padded[:, y : y + size, x : x + size]) for y in places for x in places], axis=0)


def main() -> None:
    """Train, evaluate, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="seeds of the trainings (default: 1-5)"
    )
    seeds = list(dict.fromkeys(parser.parse_args().seeds))
    try:
        settings = params.load(Params)
        environment.enter(settings.compute)
        inputs.require_current(["split"])
        from oneshot.datasets import mnist
        from oneshot.training.maps import last_maps
        from oneshot.training.prediction import embedder

        parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
        test = parts["unseen_test"]
        found = rows("raw pixels", None, test.images.reshape(len(test.labels), -1), test.labels, settings)
        for dimensions in DIMENSIONS:
            net, embedded = f"siamese-{dimensions}d", []
            for seed in seeds:
                sets = parts["seen_train"], parts["seen_validation"]
                model = train(f"{net}-seed-{seed}", dimensions, *sets, settings.recipe(), settings.compute, seed)
                embed, read_maps = embedder(model), embedder(last_maps(model))
                embedded.append(embed(test.images))
                found += rows(net, seed, embedded[-1], test.labels, settings)
                averaged = mean_over_views(embed, test.images)
                found += rows(f"{net}, nine views", seed, averaged, test.labels, settings)
                maps, known = ({"maps": read_maps(part.images)[None]} for part in (test, parts["seen_validation"]))
                whitened = represent("maps_whitened", maps, known, parts["seen_validation"].labels)
                found += rows(f"{net}, maps_whitened", seed, whitened, test.labels, settings)
            together = np.concatenate(embedded, axis=1)
            found += rows(f"{net}, {len(seeds)} nets together", None, together, test.labels, settings)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: run make ceilings to resume after the last finished epoch")
    table = pd.DataFrame(found).astype({"seed": "Int64"})
    write_csv(TABLE, table)
    print(over_trainings(table).to_string(index=False))


if __name__ == "__main__":
    main()
