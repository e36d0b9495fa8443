"""Measure how time and memory grow with the size of the work, each point in a process of its own, on random images.

The cost of a step does not depend on what an image shows. What is measured is processor time, over all threads, which
other work on the machine disturbs less than the time on a clock.

    python scaling.py WORK    the points of one work: parts/scaling/WORK.csv
    python scaling.py         tables/scaling.csv of all, its picture, and the tables of docs/scaling.md
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from oneshot.convnet.params import ConvnetParams
from oneshot.core import params
from oneshot.core.environment import ComputeParams, enter
from oneshot.core.errors import UserError
from oneshot.core.files import write_bytes, write_csv
from oneshot.core.images import LabelledImages
from oneshot.core.params import Schema
from oneshot.core.provenance import machine
from oneshot.plotting.figures import png
from oneshot.siamese.params import Recipe, SiameseParams

sys.path.append(str(Path(__file__).resolve().parents[1]))
from tools.results import fill
from tools.verify import processor

PARTS, TABLE, TEXT = Path("parts/scaling"), Path("tables/scaling.csv"), Path("../docs/scaling.md")
COLUMNS = ["work", "varied", "size", "seconds", "memory_mib", "machine"]
COMPUTE = ComputeParams(threads=2, instructions="portable")


class Params(Schema):
    """The parameters of the measured trainings."""

    convnet: ConvnetParams
    siamese: SiameseParams


def convnet(images_per_class: int, classes: int, side: int) -> float:
    """Processor seconds of one epoch of the 6-class net's default recipe, without its start."""
    from oneshot.convnet import training

    default = params.validate(params.read(), Params).convnet.recipe_of("6-class")
    recipe = default.model_copy(update={"resolution_schedule": [(side, 2)]})
    model = training.build(classes, recipe, "auto")
    images = _random_images(images_per_class, classes, (32, 32, 3), np.uint8)
    return _second_epoch(training.train, model, images, recipe)


def siamese(images_per_epoch: int, batch: int, dimensions: int) -> float:
    """Processor seconds of one epoch of the siamese net, without its start."""
    from oneshot.siamese import net, training

    changed = {"epochs": 2, "images_per_epoch": images_per_epoch, "batch": batch, "evaluation_pairs": 100}
    default = params.validate(params.read(), Params).siamese
    recipe = Recipe(margin=1.0, **default.model_dump() | changed)
    model = net.build(dimensions, recipe.dropout)
    images = _random_images(200, 5, (28, 28, 1), np.float32)
    return _second_epoch(training.train, model, images, recipe)


def episodes(episodes: int, images_per_class: int, classes: int, dimensions: int) -> float:
    """Processor seconds of the evaluation of one-shot episodes in which every other image is a query."""
    from oneshot.evaluation.episodes import classify_episodes, draw_episodes

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), images_per_class)
    features = rng.normal(size=(len(labels), dimensions)).astype(np.float32)
    support = draw_episodes(labels, range(classes), episodes=episodes, shots=1, seed=1)
    start = time.process_time()
    classify_episodes(features, labels, range(classes), support)
    return time.process_time() - start


TITLES = {"convnet": "ConvNet, one epoch", "siamese": "siamese net, one epoch", "episodes": "episodes"}
# Name of the work: its function, its usual sizes, and the sizes that are tried of each.
WORK: dict[str, tuple[Callable[..., float], dict[str, int], dict[str, list[int]]]] = {
    "convnet": (
        convnet,
        {"images_per_class": 256, "classes": 4, "side": 16},
        {"images_per_class": [128, 256, 512], "classes": [2, 4, 8], "side": [16, 24, 32]},
    ),
    "siamese": (
        siamese,
        {"images_per_epoch": 2560, "batch": 128, "dimensions": 2},
        {"images_per_epoch": [1280, 2560, 5120], "batch": [64, 128, 256], "dimensions": [2, 16, 128]},
    ),
    "episodes": (
        episodes,
        {"episodes": 500, "images_per_class": 1000, "classes": 4, "dimensions": 600},
        {
            "episodes": [250, 500, 1000, 2000],
            "images_per_class": [500, 1000, 2000, 4000],
            "classes": [2, 4, 8, 16],
            "dimensions": [75, 150, 300, 600],
        },
    ),
}


def growth(points: pd.DataFrame) -> pd.DataFrame:
    """Fit time = constant * size^exponent for each work and what varied: one row each.

    points: the table. An exponent of 1 means twice the time for twice the size, 0 that the size costs nothing.
    """
    columns = ["work", "what varied", "sizes", "processor seconds", "memory, MiB", "exponent"]
    rows = []
    for _, part in points.groupby(["work", "varied"], sort=False):
        part = part.sort_values("size")
        work, varied = part["work"].iloc[0], part["varied"].iloc[0]
        exponent = np.polyfit(np.log(part["size"]), np.log(part["seconds"]), 1)[0]
        seconds, memory = (list(part[column]) for column in ("seconds", "memory_mib"))
        rows.append(
            (
                *(work, str(varied).replace("_", " "), ", ".join(map(str, part["size"]))),
                *(f"{seconds[0]:.2f} to {seconds[-1]:.2f}", f"{memory[0]:,} to {memory[-1]:,}", f"{exponent:.2f}"),
            )
        )
    return pd.DataFrame(rows, columns=columns)


def draw(points: pd.DataFrame) -> bytes:
    """Draw one panel per work: seconds relative to the first size, over the size relative to it; return a PNG."""
    chart = Figure(figsize=(13, 4.2), dpi=110, layout="constrained")
    panels = chart.subplots(1, len(WORK), sharey=True)
    for ax, (work, part) in zip(panels, points.groupby("work", sort=False), strict=True):
        ax.plot([1, 8], [1, 8], color="0.7", linestyle="--", label="proportional")
        for (varied, line), marker in zip(part.groupby("varied", sort=False), "os^D", strict=False):
            line = line.sort_values("size")
            size, seconds = (line[column] / line[column].iloc[0] for column in ("size", "seconds"))
            ax.plot(size, seconds, marker=marker, label=str(varied).replace("_", " "))
        ax.set(xscale="log", yscale="log", title=work, xlabel="size / smallest size")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(FixedLocator([0.5, 1, 2, 4, 8, 16]))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_locator(NullLocator())
        ax.grid(alpha=0.3)
        ax.legend()
    panels[0].set_ylabel("processor time / that of the smallest size")
    return png(chart)


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
    train(
        model, images, few, recipe, seed=1, checkpoint=nothing, on_epoch=lambda _: moments.append(time.process_time())
    )
    return moments[1] - moments[0]


def _measure(work: str, sizes: dict[str, int]) -> None:
    """Measure one point in this process, and print it as JSON."""
    seconds = WORK[work][0](**sizes)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    where = processor(machine(COMPUTE))
    print(json.dumps({"seconds": seconds, "memory_mib": round(memory), "machine": where}))


def _in_a_process(work: str, sizes: dict[str, int]) -> dict[str, Any]:
    """Measure one point in a process of its own, whose peak of memory is its own too.

    If it fails, this process ends with its status, as it has already said why; raises UserError if a signal ended it.
    """
    command = [sys.executable, __file__, work, "--point", json.dumps(sizes)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode < 0:
        raise UserError(f"the process that measured {work} with {sizes} was ended by signal {-done.returncode}")
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def points_of(work: str) -> list[dict]:
    """Measure the points of one work; its usual sizes are a point of each curve, but measured once."""
    _, usual, tried = WORK[work]
    rows, known = [], {}
    for varied, size in [(name, size) for name, sizes in tried.items() for size in sizes]:
        sizes = usual | {varied: size}
        if str(sizes) not in known:
            known[str(sizes)] = _in_a_process(work, sizes)
        rows.append(known[str(sizes)] | {"work": TITLES[work], "varied": varied, "size": size})
        print(f"{work}, {varied} {size}: {rows[-1]['seconds']:.2f} s, {rows[-1]['memory_mib']} MiB", flush=True)
    return rows


def collect() -> None:
    """Write the table, the picture and the text of all parts."""
    points = pd.concat([pd.read_csv(PARTS / f"{work}.csv") for work in WORK])
    write_csv(TABLE, points)
    write_bytes(TABLE.with_suffix(".png"), draw(points))
    table = growth(points)
    lines = [f"| {' | '.join(row)} |" for row in [table.columns, ["---"] * len(table.columns), *table.to_numpy()]]
    where = f"Measured on: {'; '.join(points['machine'].unique())}, {COMPUTE.threads} threads, portable instructions."
    lines += ["", "![Time over size, both relative to the smallest](../research/tables/scaling.png)"]
    tables = {"growth": "\n".join(lines), "machine": where}
    write_bytes(TEXT, fill(TEXT.read_text(encoding="utf-8"), tables).encode())


def main() -> None:
    """Measure one point or one work, or collect all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", choices=WORK)
    parser.add_argument("--point", metavar="SIZES", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.point:
            enter(COMPUTE)
            _measure(options.work, json.loads(options.point))
        elif options.work:
            write_csv(PARTS / f"{options.work}.csv", pd.DataFrame(points_of(options.work), columns=COLUMNS))
        else:
            collect()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130 if options.point else "\ninterrupted")


if __name__ == "__main__":
    main()
