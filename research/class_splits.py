"""How much the results depend on which classes are unseen: the report's split among random ones.

CIFAR-10: narrow nets by the default recipe on six classes, shrunk, four unseen; MNIST: siamese nets on five digits,
five unseen. Split 0 is the one of params.yaml, all others are random. All else is that of baselines.py.
"""

from pathlib import Path

import narrow
import numpy as np
import pandas as pd
import study
import trainings

from oneshot.core.seeds import generator
from oneshot.datasets import mnist
from oneshot.splits.split import split_classes

Split = tuple[list[int], list[int]]  # seen and unseen classes


def split_of(number: int, seen: list[int], unseen: list[int]) -> Split:
    """Return split 0, which is the given one, or a random one of the same sizes; all ten classes are in it."""
    if number == 0:
        return seen, unseen
    order = generator(number, "class split", len(seen)).permutation(len(seen) + len(unseen)).tolist()
    return sorted(order[: len(seen)]), sorted(order[len(seen) :])


def photographs(split: Split, params: study.Params, scratch: Path) -> pd.DataFrame:
    """Train a narrow net on the seen classes of CIFAR-10 and classify the others."""
    train, validation, seen, unseen = narrow.photographs(*split, params)
    model, recipe = narrow.build(train, params, {})
    trainings.fit("convnet", model, train, validation, recipe, params, scratch)
    features = narrow.by_methods(narrow.represent(model, seen, unseen))
    return narrow.measure(features, unseen.labels, params.seed)


def digits(split: Split, params: study.Params, scratch: Path) -> pd.DataFrame:
    """Train a 2-D siamese net on the seen digits and classify test images of the others."""
    from oneshot.training.prediction import embedder

    data = mnist.read("data/raw/mnist")
    data = data._replace(images=data.images[..., None] / np.float32(255))
    settings = params.mnist.validation_per_class, params.mnist.limit_per_class, params.seed
    known, new = (data.parts(split_classes(data.labels, mnist.TRAINING, classes, *settings)) for classes in split)
    model = trainings.siamese_net(2, known["train"], known["validation"], params, scratch)
    return narrow.measure({"raw": embedder(model)(new["test"].images)}, new["test"].labels, params.seed)


def one(split: int) -> None:
    """Measure one split of each data set."""
    params, tables = study.enter(), []
    for data, find, *classes in (
        ("CIFAR-10", photographs, params.cifar10.seen_classes, params.cifar10.unseen_classes),
        ("MNIST", digits, params.mnist.seen_digits, params.mnist.unseen_digits),
    ):
        seen, unseen = split_of(split, *classes)
        found = find((seen, unseen), params, study.scratch("class_splits", str(split)) / data)
        tables.append(found.assign(data=data, unseen=" ".join(map(str, unseen)), split=split))
    table = pd.concat(tables)[["data", "unseen", "method", "shots", "accuracy", "split"]]
    study.write_part("class_splits", str(split), table)


def compare(values: pd.DataFrame) -> pd.DataFrame:
    """One row per data, method and shots: the given split beside the random ones.

    Columns: given (accuracy of split 0), mean, deviation, lowest, highest (of the random splits), rank (of the given
    one among all, best first), splits (random ones).
    """
    rows, keys = [], ["data", "method", "shots"]
    for _, part in values.groupby(keys, sort=False):
        given = part.loc[part["split"] == 0, "accuracy"].item()
        others = part.loc[part["split"] > 0, "accuracy"]
        spread = others.agg(["mean", "std", "min", "max"])
        rows.append((*part[keys].iloc[0], given, *spread, 1 + (others > given).sum(), len(others)))
    return pd.DataFrame(rows, columns=[*keys, "given", "mean", "deviation", "lowest", "highest", "rank", "splits"])


if __name__ == "__main__":
    study.main(__doc__, one, lambda: study.write_table("class_splits", compare(study.parts("class_splits"))))
