"""Train the 10-class net by the report's recipe and by ours, with and without augmentation; write ablations.csv.

The report's recipe needs many hours on a CPU, so each training stops after the epoch in which its minutes are used up.
Run again with more minutes, it resumes there; interrupted, it resumes after its last finished epoch.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from oneshot.convnet.params import ConvnetParams, Recipe
from oneshot.core import environment, files, params
from oneshot.core.environment import ComputeParams
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.core.params import Schema, Seed
from tools import inputs, recipes

TABLE = Path("research/tables/ablations.csv")
UNAUGMENTED = [
    *(f"convnet.recipe.augmentation.{kind}=0" for kind in ("rotation", "width_shift", "height_shift", "shear", "zoom")),
    "convnet.recipe.augmentation.flip=none",
]
# Name of a training: whether by the report's recipe, and with augmentation.
TRAININGS = {
    "ours": (False, True),
    "ours-unaugmented": (False, False),
    "report": (True, True),
    "report-unaugmented": (True, False),
}
COLUMNS = [
    *("training", "epoch", "minutes", "training_loss", "training_accuracy", "validation_loss", "validation_accuracy"),
    *("test_loss", "test_accuracy"),
]


class Params(Schema):
    """The parameters of all trainings."""

    compute: ComputeParams
    seed: Seed
    convnet: ConvnetParams


class OutOfTime(Exception):
    """The minutes of a training are used up."""


class Log:
    """The rows of one training in TABLE, written after each epoch."""

    def __init__(self, training: str, finished: int, limit: float, clock: Callable[[], float] = time.monotonic):
        """finished: epochs that the training resumes after; limit: minutes after which it ends; clock: in seconds."""
        table = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=COLUMNS)
        own = table["training"] == training
        self._others: pd.DataFrame = table.loc[~own]
        self._old = [dict(row) for _, row in table.loc[own].head(finished).iterrows()]
        self._training, self._finished, self._limit, self._clock = training, finished, limit, clock
        self._start = clock()
        self.rows: list[dict] = []

    @property
    def known(self) -> bool:
        """Whether the table has the minutes of all finished epochs."""
        return len(self._old) == self._finished

    def add(self, metrics: dict[str, float]) -> None:
        """Add the metrics of one epoch, named such as training/loss; raises OutOfTime after the last one allowed."""
        epoch, now = len(self.rows) + 1, self._clock()
        if epoch <= self._finished:
            self.rows.append(self._old[epoch - 1])
        else:
            before = self.rows[-1]["minutes"] if self.rows else 0.0
            named = {name.replace("/", "_"): value for name, value in metrics.items()}
            minutes = before + (now - self._start) / 60
            self.rows.append({"training": self._training, "epoch": epoch, "minutes": minutes} | named)
            self.write()
        self._start = now
        if epoch >= self._finished and self.rows[-1]["minutes"] >= self._limit:
            raise OutOfTime

    def test(self, measure: Callable[[], dict[str, float]]) -> None:
        """Add the test metrics after the last epoch, unless the table has them."""
        if not self.rows[-1].get("test_accuracy", 0) > 0:  # neither missing nor not a number
            self.rows[-1] |= {f"test_{name}": value for name, value in measure().items()}
            self.write()

    def write(self) -> None:
        """Write the table, in the order of TRAININGS and epochs."""
        own = pd.DataFrame(self.rows, columns=COLUMNS)
        table = pd.concat([part for part in (self._others, own) if len(part)])
        place = {training: index for index, training in enumerate(TRAININGS)}
        order = table.assign(place=[place[training] for training in table["training"]]).sort_values(["place", "epoch"])
        files.write_csv(TABLE, order[COLUMNS])


def recipe_of(training: str, tree: dict) -> Recipe:
    """The 10-class net's recipe in one of TRAININGS; tree: params.yaml."""
    of_report, augmented = TRAININGS[training]
    settings = recipes.settings("report") if of_report else []
    changed = recipes.change(tree, settings + ([] if augmented else UNAUGMENTED))
    return params.validate(changed, Params).convnet.recipe_of("10-class")


def train(training: str, recipe: Recipe, settings: Params, parts: dict[str, LabelledImages], limit: float) -> None:
    """Train until the recipe's last epoch or the limit, in minutes, and write the rows of the table."""
    from oneshot.convnet import inference, net
    from oneshot.convnet.training import build
    from oneshot.convnet.training import train as train_convnet
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    print(f"{training}: at most {limit:g} minutes", flush=True)
    seed_initialisation(settings.seed)
    convolution, data = settings.convnet.convolution, (*parts["train"], *parts["validation"])
    fixed = str(inference.use_winograd(convolution)), str(settings.seed), environment.determinants(settings.compute)
    model = build(10, recipe, convolution)
    checkpoint = Checkpoint(".checkpoints", f"ablation-{training}", recipe.model_dump_json(), *fixed, *data)
    stored = checkpoint.load()
    log = Log(training, stored[0] if stored else 0, limit)
    if not log.known:
        checkpoint.delete()
        log = Log(training, 0, limit)
    with contextlib.suppress(OutOfTime):
        train_set, validation_set = parts["train"], parts["validation"]
        more = {"seed": settings.seed, "checkpoint": checkpoint, "on_epoch": log.add}
        train_convnet(model, train_set, validation_set, recipe, **more)
    plain = inference.accelerate(net.fold(model), convolution)
    log.test(lambda: inference.test_metrics(plain, parts["test"])["test"])


def main() -> None:
    """Run the trainings, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trainings", nargs="*", metavar="TRAINING", help=f"{', '.join(TRAININGS)} (default: all)")
    parser.add_argument("--minutes", type=float, default=60, help="at most for each training (default: 60)")
    options = parser.parse_args()
    unknown = [name for name in options.trainings if name not in TRAININGS]
    if unknown:
        parser.error(f"there is no training {unknown[0]}; there are {', '.join(TRAININGS)}")
    try:
        settings, tree = params.load(Params), params.read()
        environment.enter(settings.compute)
        inputs.require_current(["split"])
        from oneshot.datasets import cifar10

        parts = cifar10.read("data/raw/cifar10").parts(files.read_arrays("data/splits/10-class"))
        for training in options.trainings or TRAININGS:
            train(training, recipe_of(training, tree), settings, parts, options.minutes)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: run make ablations to resume after the last finished epoch")
    print(pd.read_csv(TABLE).groupby("training", sort=False).tail(1).to_string(index=False))


if __name__ == "__main__":
    main()
