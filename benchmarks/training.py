"""Measure images per second of our training step, of Keras and PyTorch, and of plain matrix products.

PyTorch is measured if it is installed; it is not in requirements.lock (`.venv/bin/uv pip install torch`).

Each variant runs in its own process, since TensorFlow reads its settings only once. The variants take turns, and the
medians over the turns are compared, so that a drift of the machine's speed affects all of them equally.
"""

import argparse
import importlib.util
import math
import os
import statistics
import subprocess
import sys
import time

from oneshot.core import environment, processor
from oneshot.core.environment import ComputeParams
from oneshot.nets.architecture import ARCHITECTURES

CLASSES, BATCH = 10, 128
LAYERS = ARCHITECTURES["convnet"].layers(classes=CLASSES)
SIDE = ARCHITECTURES["convnet"].shape[0]
# Multiply-adds of one forward pass: each weight of a convolution is used once per cell of its output.
FORWARD = sum(
    (layer.parameters - layer.shape[-1]) * math.prod(layer.shape[:-1]) for layer in LAYERS if layer.parameters
)
STEP_FLOP = 3 * 2 * FORWARD  # a step costs three forward passes, and a multiply-add is two operations


def random_batch(side: int):
    """Make one batch of random images and labels."""
    import numpy as np

    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, side, side, 3)).astype(np.float32)
    return images, rng.integers(CLASSES, size=BATCH).astype(np.int32)


def ours(side: int, seconds: float, *, precision: str = "float32", last: bool = False) -> float:
    """Images per second of the 10-class net's default training step.

    last: in the last phase, in which further convolutions are not trained (convnet.recipe.frozen).
    """
    from oneshot.convnet import losses, training
    from oneshot.convnet.params import ConvnetParams
    from oneshot.convnet.sides import net_of_side
    from oneshot.core import params
    from oneshot.training.tensorflow import tf

    recipe = ConvnetParams.model_validate(params.read()["convnet"]).recipe_of("10-class")
    model = net_of_side(training.build(CLASSES, recipe, "auto", precision), side)
    optimizer = training.make_optimizer(model, recipe, 100_000)
    cells = losses.cell_classifier(model) if recipe.dense_classification_loss else None
    optimizer.build([*model.trainable_variables, *([] if cells is None else [cells])])
    frozen = recipe.frozen if last else int(recipe.whitening_filters)
    step = training.make_step(model, optimizer, recipe, frozen=frozen, cells=cells)
    images, labels = (tf.constant(array) for array in random_batch(side))
    return rate(lambda: float(step(images, labels)["loss"]), seconds)


def ours_in_the_last_phase(side: int, seconds: float) -> float:
    """Images per second of the step as the default recipe trains at its largest side."""
    return ours(side, seconds, last=True)


def ours_in_bfloat16(side: int, seconds: float) -> float:
    """Images per second of the same step with compute.precision bfloat16."""
    return ours(side, seconds, precision="bfloat16")


def ours_in_any_order(side: int, seconds: float) -> float:
    """Images per second of the same step without deterministic operations, to show the cost of determinism."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism = lambda: None
    return ours(side, seconds)


def keras_fit(side: int, seconds: float) -> float:
    """Images per second of keras.Model.fit with the report's net and recipe and default settings."""
    import keras

    activations = {"conv": "relu", "dense_relu": "relu"}
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3))])
    for layer in LAYERS:
        size, activation = layer.shape[-1], activations.get(layer.kind)
        if layer.kind == "conv":
            model.add(keras.layers.Conv2D(size, layer.side, padding="same", activation=activation))
        elif layer.kind == "pool":
            model.add(keras.layers.MaxPooling2D())
        elif layer.kind == "flatten":
            model.add(keras.layers.Flatten())
        else:
            model.add(keras.layers.Dense(size, activation=activation))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images, labels = random_batch(side)
    return rate(lambda: model.fit(images, labels, batch_size=32, epochs=1, verbose=0), seconds)


def pytorch(side: int, seconds: float, *, bfloat16: bool = False) -> float:
    """Images per second of a step of the report's net in PyTorch, with Adam, channels last and all threads.

    bfloat16: with autocast.
    """
    import torch
    from torch import nn

    parts: list[nn.Module] = []
    size = 3
    for layer in ARCHITECTURES["convnet"]._replace(shape=(side, side, 3)).layers(classes=CLASSES):
        outputs = layer.shape[-1]
        if layer.kind == "conv":
            parts += [nn.Conv2d(size, outputs, layer.side, padding=layer.side // 2), nn.ReLU()]
        elif layer.kind == "pool":
            parts.append(nn.MaxPool2d(2))
        elif layer.kind == "flatten":
            parts.append(nn.Flatten())
        else:
            parts += [nn.Linear(size, outputs), *([nn.ReLU()] if layer.kind == "dense_relu" else [])]
        size = outputs
    model = nn.Sequential(*parts).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters())
    images, labels = random_batch(side)
    inputs = torch.from_numpy(images).permute(0, 3, 1, 2)  # its memory is channels last
    targets = torch.from_numpy(labels).long()

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return rate(step, seconds)


def pytorch_in_bfloat16(side: int, seconds: float) -> float:
    """Images per second of the same step with bfloat16 autocast."""
    return pytorch(side, seconds, bfloat16=True)


def matrix_products(side: int, seconds: float) -> float:
    """Images per second if a step consisted only of its multiplications, at the speed of a big matrix product."""
    from oneshot.training.tensorflow import tf

    size = 2048
    matrix = tf.random.stateless_normal((size, size), (0, 0))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    return rate(lambda: float(product()), seconds) / BATCH * 2 * size**3 / STEP_FLOP


def rate(run, seconds: float) -> float:
    """Images per second of a call that processes one batch, after two warm-up calls."""
    run(), run()
    calls, start = 0, time.perf_counter()
    while calls < 3 or time.perf_counter() - start < seconds:
        run()
        calls += 1
    return calls * BATCH / (time.perf_counter() - start)


# Name: the function, the side of the images, and the instructions it may use (None: the user's own environment).
VARIANTS = {
    "matrix products alone, 32x32": (matrix_products, SIDE, "portable"),
    "matrix products alone, 32x32, native": (matrix_products, SIDE, "native"),
    "keras.Model.fit, default settings, 32x32": (keras_fit, SIDE, None),
    "our training step, 32x32": (ours, 32, "portable"),
    "our training step, 32x32, last phase": (ours_in_the_last_phase, 32, "portable"),
    "our training step, 24x24": (ours, 24, "portable"),
    "our training step, 16x16": (ours, 16, "portable"),
    "our training step, 32x32, not deterministic": (ours_in_any_order, 32, "portable"),
    "our training step, 32x32, native": (ours, 32, "native"),
    "our training step, 24x24, native": (ours, 24, "native"),
    "our training step, 16x16, native": (ours, 16, "native"),
    "our training step, 32x32, native, bfloat16": (ours_in_bfloat16, 32, "native"),
}
if importlib.util.find_spec("torch"):
    VARIANTS |= {
        "PyTorch, channels last, 32x32": (pytorch, SIDE, None),
        "PyTorch, channels last, 32x32, bfloat16": (pytorch_in_bfloat16, SIDE, None),
    }


def environment_of(instructions: str | None) -> dict[str, str]:
    """Return the environment variables of a variant."""
    if instructions is None:
        return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    compute = ComputeParams.model_validate({"threads": 2, "instructions": instructions})
    return environment.replaced(os.environ, compute) | {"TF_CPP_MIN_LOG_LEVEL": "3"}


def main() -> None:
    """Print a table of images per second, with the ratio to plain Keras."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="times that each variant runs")
    parser.add_argument("--seconds", type=float, default=8.0, help="measured seconds per turn")
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        function, side, _ = VARIANTS[options.variant]
        print(function(side, options.seconds))
        return
    command = [sys.executable, __file__, "--seconds", str(options.seconds), "--variant"]
    rates: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for turn in range(options.turns):
        for name, measured in rates.items():
            print(f"turn {turn + 1} of {options.turns}: {name}", file=sys.stderr, flush=True)
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            variables = environment_of(VARIANTS[name][2])
            done = subprocess.run([*command, name], env=variables, check=True, text=True, **pipes)
            measured.append(float(done.stdout.split()[-1]))
    plain = statistics.median(rates["keras.Model.fit, default settings, 32x32"])
    print(f"\n{CLASSES}-class net, batch {BATCH} (Keras: 32), {processor.count()} cores, medians of {options.turns}")
    print(f"{'':46}{'images/s':>10}{'lowest':>10}{'highest':>10}{'ratio':>8}")
    for name, measured in rates.items():
        middle = statistics.median(measured)
        print(f"{name:46}{middle:10.1f}{min(measured):10.1f}{max(measured):10.1f}{middle / plain:8.2f}")


if __name__ == "__main__":
    main()
