"""Measure how time and memory grow with the size of the work, each point by a stage of its own, on random images.

The cost of a step does not depend on what an image shows. What is measured is processor time, over all threads, which
other work on the machine disturbs less than the time on a clock.
"""

import inspect
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import study

from oneshot.core import environment, params
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.core.provenance import machine, peak_memory, processor_of
from oneshot.siamese.params import Recipe

COMPUTE = environment.ComputeParams(threads=2, instructions="portable")


def convnet(images_per_class: int = 256, classes: int = 4, side: int = 16) -> float:
    """Processor seconds of one epoch of the 6-class net's default recipe, without its start."""
    from oneshot.convnet import training

    default = params.load(study.Params).convnet.recipe_of("6-class")
    recipe = default.model_copy(update={"resolution_schedule": [(side, 2)]})
    model = training.build(classes, recipe, "auto")
    labels = np.repeat(np.arange(classes), images_per_class)
    pixels = np.random.default_rng(0).integers(256, size=(len(labels), 32, 32, 3), dtype=np.uint8)
    return second_epoch(training.train, model, LabelledImages(pixels, labels, labels), recipe)


def siamese(images_per_epoch: int = 2560, batch: int = 128, dimensions: int = 2) -> float:
    """Processor seconds of one epoch of the siamese net, without its start."""
    from oneshot.siamese import net, training

    changed = {"epochs": 2, "images_per_epoch": images_per_epoch, "batch": batch, "evaluation_pairs": 100}
    recipe = Recipe(margin=1.0, **dict(params.load(study.Params).siamese) | changed)
    labels = np.repeat(np.arange(5), 200)
    pixels = np.random.default_rng(0).integers(256, size=(len(labels), 28, 28, 1), dtype=np.uint8) / np.float32(255)
    model = net.build(dimensions, recipe.dropout)
    return second_epoch(training.train, model, LabelledImages(pixels, labels, labels), recipe)


def second_epoch(train: Callable, model, images: LabelledImages, recipe) -> float:
    """The first epoch includes the tracing of the graph."""
    moments: list[float] = []
    nothing = SimpleNamespace(restore=lambda: None, save=lambda *_: None, delete=lambda: None)
    few = images.take(np.linspace(0, len(images.labels) - 1, 40).astype(int))
    options = {"checkpoint": nothing, "on_epoch": lambda _: moments.append(time.process_time())}
    train(model, images, few, recipe, seed=1, **options)
    return moments[1] - moments[0]


def episodes(count: int = 500, images_per_class: int = 1000, classes: int = 4, dimensions: int = 600) -> float:
    """Processor seconds of the evaluation of one-shot episodes in which every other image is a query."""
    from oneshot.evaluation.episodes import classify_episodes, draw_episodes

    labels = np.repeat(np.arange(classes), images_per_class)
    features = np.random.default_rng(0).normal(size=(len(labels), dimensions)).astype(np.float32)
    support = draw_episodes(labels, range(classes), episodes=count, shots=1, seed=1)
    start = time.process_time()
    classify_episodes(features, labels, range(classes), support)
    return time.process_time() - start


# By the name in research/dvc.yaml: the title in the table, and the function, of which one argument varies at a time.
WORK: dict[str, tuple[str, Callable[..., float]]] = {
    "convnet": ("ConvNet, one epoch", convnet),
    "siamese": ("siamese net, one epoch", siamese),
    "episodes": ("episodes", episodes),
}


def growth(points: pd.DataFrame) -> pd.DataFrame:
    """Fit time = constant * size^exponent for each work and what varied: one row each.

    points: the table. An exponent of 1 means twice the time for twice the size, 0 that the size costs nothing.
    """
    rows = []
    for _, part in points.groupby(["work", "varied"], sort=False):
        part = part.sort_values("size")
        seconds, memory = part["seconds"].iloc[[0, -1]], part["memory_mib"].iloc[[0, -1]]
        rows.append(
            {
                "work": part["work"].iloc[0],
                "what varied": str(part["varied"].iloc[0]).replace("_", " "),
                "sizes": ", ".join(map(str, part["size"])),
                "processor seconds": " to ".join(f"{value:.2f}" for value in seconds),
                "memory, MiB": " to ".join(f"{value:,}" for value in memory),
                "exponent": f"{np.polyfit(np.log(part['size']), np.log(part['seconds']), 1)[0]:.2f}",
            }
        )
    return pd.DataFrame(rows)


def one(point: str) -> None:
    """Measure one point, such as convnet-side-24: work, what varies, its size."""
    name, varied, size = (*point.split("-"), "", "")[:3]
    title, work = study.chosen("work", name, WORK)
    if varied not in inspect.signature(work).parameters or not size.isdecimal():
        raise UserError(f"{point} is no point to measure, such as convnet-side-24")
    environment.enter(COMPUTE)
    found = {"work": title, "varied": varied, "size": int(size), "seconds": work(**{varied: int(size)})}
    # This process has done nothing else.
    found |= {"memory_mib": round(1024 * peak_memory()), "machine": processor_of(machine(COMPUTE))}
    study.write_part("scaling", point, pd.DataFrame([found]))


def collect() -> None:
    """Write the tables of all parts."""
    points = study.parts("scaling")
    study.write_table("scaling", points)
    study.write_table("growth", growth(points))


if __name__ == "__main__":
    study.main(__doc__, one, collect)
