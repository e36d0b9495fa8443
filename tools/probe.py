"""Try ideas for the ConvNets' recipe on a narrow net: same images, paired by seed, judged by validation images.

A probe trains a 6-class net with a third of the widths on 4,000 images of each seen class, one epoch at each side, and
measures it at side 32 on 1,000 other images of each class from the official training images. Test images and unseen
classes are not read. Each probe is a row of docs/probes.csv; those that are there are not run again.
"""

import argparse
import functools
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from oneshot.convnet.params import ConvnetParams, Recipe
from oneshot.core import environment, files, params
from oneshot.core.environment import ComputeParams
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.core.params import Schema

TABLE = Path("docs/probes.csv")
CLASSES, TRAINED, VALIDATED = 6, 4_000, 1_000  # images of each class
NARROW = {"widths": ((34, 34), (66, 66, 132)), "units": 200}
EPOCHS = [(16, 1), (24, 1), (32, 1)]


class Params(Schema):
    """The parameters that the probes change."""

    convnet: ConvnetParams


@dataclass
class Arm:
    """An idea: what it changes in the recipe, in the constants of the training, and in the net before training."""

    recipe: dict = field(default_factory=dict)
    constants: dict = field(default_factory=dict)
    start: Callable | None = None


def identity_start(model) -> None:
    """Let the first filters of convolutions 2 to 5 copy their input channels (Dirac initialisation)."""
    for number in range(2, 6):
        kernel = model.get_layer(f"conv{number}").kernel
        values = kernel.numpy()
        copies = min(values.shape[2:])
        values[..., :copies] = 0
        values[1, 1, np.arange(copies), np.arange(copies)] = 1
        kernel.assign(values)


ARMS = {
    "default": Arm(),
    "second convolution trained to the end": Arm({"frozen": 0}),
    "offset rate 1": Arm({"offset_rate": 1.0}),
    "offset rate 32": Arm({"offset_rate": 32.0}),
    "identity start": Arm(start=identity_start),
    "identity start, offset rate 1": Arm({"offset_rate": 1.0}, start=identity_start),
    "identity start, offset rate 32": Arm({"offset_rate": 32.0}, start=identity_start),
    "Muon momentum 0.85": Arm(constants={"MUON_MOMENTUM": 0.85}),
    "batch 256, Muon momentum 0.8": Arm({"batch": 256}, {"MUON_MOMENTUM": 0.8}),
}


def choose_images(all_images: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    """Draw the training and the validation images of the probes, from the official training images."""
    from oneshot.datasets.cifar10 import TRAINING

    rng = np.random.default_rng(12345)
    trained, validated = [], []
    for label in range(CLASSES):
        places = rng.permutation(np.flatnonzero(all_images.labels[:TRAINING] == label))
        validated.append(places[:VALIDATED])
        trained.append(places[VALIDATED : VALIDATED + TRAINED])
    first, second = (all_images.take(np.sort(np.concatenate(places))) for places in (trained, validated))
    return first.relabelled(range(CLASSES)), second.relabelled(range(CLASSES))


def recipe_of(arm: Arm) -> Recipe:
    """Return the 6-class net's recipe with an arm's changes and the probes' epochs."""
    default = params.validate(params.read(), Params).convnet.recipe_of("6-class")
    return params.validate(default.model_dump() | arm.recipe | {"epochs": EPOCHS}, Recipe)


def probe(arm: Arm, seed: int, train_set: LabelledImages, validation_set: LabelledImages) -> dict[str, float]:
    """Train and measure one net; the minutes are processor time divided by two."""
    from oneshot.convnet import inference, net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    recipe = recipe_of(arm)
    net.build = functools.partial(net.build, **NARROW)  # this process trains no other net
    for name, value in arm.constants.items():
        setattr(training, name, value)
    seed_initialisation(seed)
    model = training.build(CLASSES, recipe, "auto")
    if arm.start:
        arm.start(model)
    before = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(folder, "probe")
        training.train(
            model, train_set, validation_set, recipe, seed=seed, checkpoint=checkpoint, on_epoch=lambda metrics: None
        )
    after = resource.getrusage(resource.RUSAGE_SELF)
    measured = inference.test_metrics(inference.accelerate(net.fold(model), "auto"), validation_set)
    return {
        "loss": round(measured["test"]["loss"], 4),
        "accuracy": round(measured["test"]["accuracy"], 4),
        "mirror_averaged": round(measured["test_mirror_averaged"]["accuracy"], 4),
        "minutes": round((after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / 120, 2),
    }


def main() -> None:
    """Run one probe, and add its row to the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arm", choices=ARMS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if any(row["arm"] == arguments.arm and row["seed"] == arguments.seed for row in read_rows()):
        print(f"{TABLE} has this probe")
        return
    environment.enter(ComputeParams(threads=2, instructions="portable"))
    from oneshot.datasets import cifar10

    try:
        images = choose_images(cifar10.read("data/raw/cifar10"))
        row = {"arm": arguments.arm, "seed": arguments.seed} | probe(ARMS[arguments.arm], arguments.seed, *images)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: nothing of this probe is kept")
    # Read again, since another probe may have ended in the meantime.
    files.write_csv(TABLE, pd.DataFrame([*read_rows(), row]))
    print(row)


def read_rows() -> list[dict]:
    """Read the rows of the table, of which there may be none yet."""
    return pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []


if __name__ == "__main__":
    main()
