"""Train the 10-class net by the report's recipe and by ours, with and without augmentation, for some minutes each.

The report's recipe needs many hours on a CPU, so a training stops after the epoch in which its minutes are used up.
Interrupted, it resumes after its last finished epoch.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from pipeline import change, settings_of

from oneshot.convnet.params import ConvnetParams, Recipe
from oneshot.core import environment, files, params
from oneshot.core.environment import TrainingComputeParams
from oneshot.core.errors import UserError
from oneshot.core.params import Schema, Seed

PARTS = Path("parts/ablations")
UNAUGMENTED = [
    *(f"convnet.recipe.augmentation.{kind}=0" for kind in ("rotation", "width_shift", "height_shift", "shear", "zoom")),
    "convnet.recipe.augmentation.flip=none",
]
# Name of a training: its recipe, and what is changed in it.
TRAININGS = {
    "ours": ("default", []),
    "ours-unaugmented": ("default", UNAUGMENTED),
    "report": ("report", []),
    "report-unaugmented": ("report", UNAUGMENTED),
}


class Params(Schema):
    """The parameters of all trainings."""

    compute: TrainingComputeParams
    seed: Seed
    convnet: ConvnetParams


class OutOfTime(Exception):
    """The minutes of a training are used up."""


class Log:
    """The epochs of one training, with the minutes until each, written after each epoch; an interrupted one resumes."""

    def __init__(self, path: Path, finished: int, limit: float, clock: Callable[[], float] = time.monotonic):
        """finished: epochs that the training resumes after; limit: in minutes; clock: in seconds."""
        self._old = pd.read_csv(path).head(finished).to_dict("records") if finished and path.exists() else []
        self._path, self._finished, self._limit, self._clock = path, finished, limit, clock
        self._start = clock()
        self.rows: list[dict] = []

    @property
    def known(self) -> bool:
        """Whether the file has the minutes of all finished epochs."""
        return len(self._old) == self._finished

    def add(self, metrics: dict[str, float]) -> None:
        """Add the metrics of one epoch, named such as training/loss; raises OutOfTime after the last one allowed."""
        epoch, now = len(self.rows) + 1, self._clock()
        if epoch <= self._finished:
            self.rows.append(self._old[epoch - 1])
        else:
            minutes = (self.rows[-1]["minutes"] if self.rows else 0.0) + (now - self._start) / 60
            named = {name.replace("/", "_"): value for name, value in metrics.items()}
            self.rows.append({"epoch": epoch, "minutes": minutes, **named})
            files.write_csv(self._path, pd.DataFrame(self.rows))
        self._start = now
        if epoch >= self._finished and self.rows[-1]["minutes"] >= self._limit:
            raise OutOfTime


def recipe_of(training: str, tree: dict) -> Recipe:
    """The 10-class net's recipe in one of TRAININGS; tree: params.yaml."""
    recipe, changes = TRAININGS[training]
    return params.validate(change(tree, settings_of(recipe) + changes), Params).convnet.recipe_of("10-class")


def train(training: str, limit: float) -> None:
    """Train until the recipe's last epoch or the limit, in minutes; write PARTS/TRAINING.csv."""
    settings, tree = params.load(Params), params.read()
    environment.enter(settings.compute)
    from oneshot.convnet import inference, net
    from oneshot.convnet.training import build, check_precision
    from oneshot.convnet.training import train as train_convnet
    from oneshot.datasets import cifar10
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    recipe, convolution, precision = recipe_of(training, tree), settings.convnet.convolution, settings.compute.precision
    check_precision(precision)
    parts = cifar10.read("data/raw/cifar10").parts(files.read_arrays("data/splits/10-class"))
    sets = parts["train"], parts["validation"]
    seed_initialisation(settings.seed)
    model = build(10, recipe, convolution, precision)
    fixed = str(inference.use_winograd(convolution)), precision, str(settings.seed)
    determinants = environment.determinants(settings.compute)
    name = f"ablation-{training}"
    checkpoint = Checkpoint(
        ".checkpoints",
        name,
        recipe.model_dump_json(),
        *fixed,
        determinants,
        *(array for part in sets for array in part),
    )
    stored, path = checkpoint.restore(), Path(".checkpoints", f"{name}.csv")
    log = Log(path, stored[0] if stored else 0, limit)
    if not log.known:
        checkpoint.delete()
        log = Log(path, 0, limit)
    with contextlib.suppress(OutOfTime):
        train_convnet(model, *sets, recipe, seed=settings.seed, checkpoint=checkpoint, on_epoch=log.add)
    plain = inference.accelerate(net.fold(model), convolution)
    found = inference.test_metrics(plain, parts["test"])["test"]
    log.rows[-1] |= {f"test_{name}": value for name, value in found.items()}
    files.write_csv(PARTS / f"{training}.csv", pd.DataFrame(log.rows).assign(training=training))
    checkpoint.delete()
    path.unlink(missing_ok=True)


def main() -> None:
    """Run one training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", choices=TRAININGS)
    parser.add_argument("minutes", type=float, help="at most")
    options = parser.parse_args()
    try:
        train(options.training, options.minutes)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command resumes after the last finished epoch")


if __name__ == "__main__":
    main()
