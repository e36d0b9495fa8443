"""How much the results depend on which classes are unseen: the report's split among random ones.

CIFAR-10: narrow nets by the default recipe on six classes, shrunk, four unseen; MNIST: siamese nets on five digits,
five unseen. Split 0 is the one of params.yaml, all others are random. All else is that of baselines.py.

    python class_splits.py SPLIT    one split of each: parts/class_splits/SPLIT.csv
    python class_splits.py          tables/class_splits.csv of all: the report's split, mean, deviation and rank
"""

import numpy as np
import pandas as pd
import study
from baselines import images_of, measured, of_net, train_net

from oneshot.core.seeds import generator
from oneshot.datasets import mnist
from oneshot.siamese.params import Recipe
from oneshot.splits.split import split_classes

Split = tuple[list[int], list[int]]  # seen and unseen classes


def split_of(number: int, seen: list[int], unseen: list[int]) -> Split:
    """Return split 0, which is the given one, or a random one of the same sizes; all ten classes are in it."""
    if number == 0:
        return seen, unseen
    order = generator(number, "class split", len(seen)).permutation(len(seen) + len(unseen)).tolist()
    return sorted(order[: len(seen)]), sorted(order[len(seen) :])


def photographs(split: Split, params: study.Params) -> list[tuple[str, int, float]]:
    """Train a narrow net on some classes of CIFAR-10 and classify the others: rows of baselines.measured."""
    train, validation, seen, unseen = images_of(*split, params)
    model = train_net("default", train, validation, params)
    return measured(of_net(model, unseen, seen), unseen.labels, params.seed)


def digits(split: Split, params: study.Params) -> list[tuple[str, int, float]]:
    """Train a 2-D siamese net on some digits and classify test images of the others: rows of baselines.measured."""
    from oneshot.siamese import net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.prediction import embedder
    from oneshot.training.tensorflow import seed_initialisation

    data = mnist.read("data/raw/mnist")
    data = data._replace(images=data.images[..., None] / np.float32(255))
    settings = params.mnist.validation_per_class, params.mnist.limit_per_class, params.seed
    known, new = (data.parts(split_classes(data.labels, mnist.TRAINING, classes, *settings)) for classes in split)
    seed_initialisation(params.seed)
    model = net.build(2, params.siamese.dropout)
    recipe = Recipe(margin=params.margin, **params.siamese.model_dump())
    checkpoint = Checkpoint(".checkpoints", f"class-splits-{split[0]}", str(params))
    options = {"seed": params.seed, "checkpoint": checkpoint, "on_epoch": lambda row: None}
    training.train(model, known["train"], known["validation"], recipe, **options)
    checkpoint.delete()
    return measured({"raw": embedder(model)(new["test"].images)}, new["test"].labels, params.seed)


def one(split: int) -> None:
    """Measure one split of each data set."""
    params = study.enter()
    photographed = split_of(split, params.cifar10.seen_classes, params.cifar10.unseen_classes)
    drawn = split_of(split, params.mnist.seen_digits, params.mnist.unseen_digits)
    rows = [("CIFAR-10", photographed[1], *found) for found in photographs(photographed, params)]
    rows += [("MNIST", drawn[1], *found) for found in digits(drawn, params)]
    table = pd.DataFrame(rows, columns=["data", "unseen", "method", "shots", "accuracy"])
    table["unseen"] = [" ".join(map(str, classes)) for classes in table["unseen"]]
    study.write_part("class_splits", str(split), table.assign(split=split))


def compare(values: pd.DataFrame) -> pd.DataFrame:
    """One row per data, method and shots: the given split beside the random ones.

    Columns: given (accuracy of split 0), mean, deviation, lowest, highest (of the random splits), rank (of the given
    one among all, best first), splits (random ones).
    """
    rows = []
    keys = ["data", "method", "shots"]
    for data, method, shots in values[keys].drop_duplicates().itertuples(index=False):
        part = values[(values["data"] == data) & (values["method"] == method) & (values["shots"] == shots)]
        given = part.loc[part["split"] == 0, "accuracy"].item()
        others = part.loc[part["split"] > 0, "accuracy"].to_numpy()
        rank = 1 + int(np.count_nonzero(others > given))
        spread = (others.mean(), others.std(ddof=1), others.min(), others.max())
        rows.append((data, method, shots, given, *spread, rank, len(others)))
    columns = [*keys, "given", "mean", "deviation", "lowest", "highest", "rank", "splits"]
    return pd.DataFrame(rows, columns=columns)


if __name__ == "__main__":
    study.main(__doc__, one, lambda: study.write_table("class_splits", compare(study.parts("class_splits"))))
