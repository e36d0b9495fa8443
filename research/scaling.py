"""Measure how time and memory grow with the size of the work, each point in a process of its own, on random images.

The cost of a step does not depend on what an image shows. What is measured is processor time, over all threads, which
other work on the machine disturbs less than the time on a clock.

    python scaling.py WORK    the points of one work: parts/scaling/WORK.csv
    python scaling.py         tables/scaling.csv of all, and tables/growth.csv, which docs/scaling.md shows
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import study

from oneshot.core import environment, params
from oneshot.core.errors import UserError
from oneshot.core.files import read_json
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
    images = _random_images(images_per_class, classes, (32, 32, 3), np.uint8)
    return _second_epoch(training.train, model, images, recipe)


def siamese(images_per_epoch: int = 2560, batch: int = 128, dimensions: int = 2) -> float:
    """Processor seconds of one epoch of the siamese net, without its start."""
    from oneshot.siamese import net, training

    changed = {"epochs": 2, "images_per_epoch": images_per_epoch, "batch": batch, "evaluation_pairs": 100}
    default = params.load(study.Params).siamese
    recipe = Recipe(margin=1.0, **default.model_dump() | changed)
    model = net.build(dimensions, recipe.dropout)
    images = _random_images(200, 5, (28, 28, 1), np.float32)
    return _second_epoch(training.train, model, images, recipe)


def episodes(count: int = 500, images_per_class: int = 1000, classes: int = 4, dimensions: int = 600) -> float:
    """Processor seconds of the evaluation of one-shot episodes in which every other image is a query."""
    from oneshot.evaluation.episodes import classify_episodes, draw_episodes

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), images_per_class)
    features = rng.normal(size=(len(labels), dimensions)).astype(np.float32)
    support = draw_episodes(labels, range(classes), episodes=count, shots=1, seed=1)
    start = time.process_time()
    classify_episodes(features, labels, range(classes), support)
    return time.process_time() - start


# Of each function: its title, and the sizes that are tried of each argument while the others stay as they are.
WORK = read_json(study.ROOT / "research/scaling.json")
FUNCTIONS: dict[str, Callable[..., float]] = {work.__name__: work for work in (convnet, siamese, episodes)}


def growth(points: pd.DataFrame) -> pd.DataFrame:
    """Fit time = constant * size^exponent for each work and what varied: one row each.

    points: the table. An exponent of 1 means twice the time for twice the size, 0 that the size costs nothing.
    """
    rows = []
    for _, part in points.groupby(["work", "varied"], sort=False):
        part = part.sort_values("size")
        seconds, memory = (list(part[column]) for column in ("seconds", "memory_mib"))
        rows.append(
            {
                "work": part["work"].iloc[0],
                "what varied": str(part["varied"].iloc[0]).replace("_", " "),
                "sizes": ", ".join(map(str, part["size"])),
                "processor seconds": f"{seconds[0]:.2f} to {seconds[-1]:.2f}",
                "memory, MiB": f"{memory[0]:,} to {memory[-1]:,}",
                "exponent": f"{np.polyfit(np.log(part['size']), np.log(part['seconds']), 1)[0]:.2f}",
            }
        )
    return pd.DataFrame(rows)


def _random_images(per_class: int, classes: int, shape: tuple[int, ...], dtype: type) -> LabelledImages:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), per_class)
    pixels = rng.integers(256, size=(len(labels), *shape), dtype=np.uint8)
    return LabelledImages((pixels / 255).astype(dtype) if dtype is np.float32 else pixels, labels, labels)


def _second_epoch(train: Callable, model, images: LabelledImages, recipe) -> float:
    """The first epoch includes the tracing of the graph."""
    moments: list[float] = []
    nothing: Any = SimpleNamespace(restore=lambda: None, save=lambda *_: None, delete=lambda: None)
    few = images.take(np.linspace(0, len(images.labels) - 1, 40).astype(int))
    options = {"checkpoint": nothing, "on_epoch": lambda _: moments.append(time.process_time())}
    train(model, images, few, recipe, seed=1, **options)
    return moments[1] - moments[0]


def measured(name: str, size: dict[str, int]) -> dict[str, Any]:
    """Measure one point: this process has nothing else to do, and its peak of memory is the point's."""
    seconds = FUNCTIONS[name](**size)
    return {"seconds": seconds, "memory_mib": round(1024 * peak_memory()), "machine": processor_of(machine(COMPUTE))}


def one(name: str) -> None:
    """Measure the points of one work, by the name of its function."""
    if name not in WORK:
        raise UserError(f"there is no work {name}: name one of {', '.join(WORK)}")
    params.load(study.Params)
    environment.enter(COMPUTE)
    rows = []
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for varied, size in [(varied, size) for varied, sizes in WORK[name]["sizes"].items() for size in sizes]:
            try:
                found = pool.submit(measured, name, {varied: size}).result()
            except BrokenProcessPool:
                raise UserError(f"the process that measured {name}, {varied} {size}, was ended by a signal") from None
            rows.append({"work": WORK[name]["title"], "varied": varied, "size": size} | found)
            print(f"{name}, {varied} {size}: {found['seconds']:.2f} s, {found['memory_mib']} MiB", flush=True)
    study.write_part("scaling", name, pd.DataFrame(rows))


def collect() -> None:
    """Write the tables of all parts."""
    points = study.parts("scaling")
    study.write_table("scaling", points)
    study.write_table("growth", growth(points))


if __name__ == "__main__":
    study.main(__doc__, one, collect)
