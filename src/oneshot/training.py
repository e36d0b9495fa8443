"""The epoch loop that all nets share: resume, train, validate, keep a checkpoint, tell how it goes."""

import sys
import time
from collections.abc import Callable, Iterable

import numpy as np
from tqdm import tqdm

from oneshot.checkpoint import Checkpoint
from oneshot.device import tf
from oneshot.seeds import pair


def run_epochs(
    *,
    epochs: int,
    variables: list[tf.Variable],
    train_epoch: Callable[[int], dict[str, float]],
    validate: Callable[[int], dict[str, float]],
    checkpoint: Checkpoint,
    on_epoch: Callable[[dict[str, float]], None],
) -> list[dict[str, float]]:
    """Train for a number of epochs and return one row of figures an epoch.

    variables: everything that training changes (weights, statistics, optimizer state); train_epoch(epoch): train one
    epoch, 0-based, whose every random number follows from the epoch's number; validate(epoch): figures after it;
    on_epoch(row): called for each finished epoch, those of an earlier, interrupted run included.
    The result is the same to the byte whether or not the training was interrupted.
    """
    first, history = 0, []
    stored = checkpoint.load()
    if stored:
        first, arrays, history = stored
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        print(f"resuming after epoch {first} of {epochs}", flush=True)
    for row in history:
        on_epoch(row)
    for epoch in range(first, epochs):
        start = time.monotonic()
        trained = train_epoch(epoch)
        row = {f"train/{name}": value for name, value in trained.items()}
        row |= {f"validation/{name}": value for name, value in validate(epoch).items()}
        history.append(row)
        figures = ", ".join(f"{name} {value:.4f}" for name, value in row.items())
        print(f"epoch {epoch + 1}/{epochs}: {figures} ({time.monotonic() - start:.0f} s)", flush=True)
        on_epoch(row)
        checkpoint.save(epoch + 1, [variable.numpy() for variable in variables], history)
    return history


def average_over(
    batches: Iterable, step: Callable[..., dict[str, tf.Tensor]], *, total: int, label: str
) -> dict[str, float]:
    """Run `step` on each batch under a progress bar and average its figures, weighted by the figure "count".

    step(*batch) -> {"count": images or pairs in the batch, NAME: mean over the batch, ...}; total: number of batches.
    """
    sums: dict[str, float] = {}
    weight = 0.0
    for batch in progress(batches, total=total, desc=label, unit="step"):
        figures = {name: float(value) for name, value in step(*batch).items()}
        count = figures.pop("count")
        weight += count
        for name, value in figures.items():
            sums[name] = sums.get(name, 0.0) + value * count
    return {name: value / weight for name, value in sums.items()}


def judge(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Mean cross-entropy and accuracy: (n, classes) float32, (n,) int -> figures."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels.astype(np.int32), logits)
    return {"loss": float(np.mean(losses)), "accuracy": float(np.mean(logits.argmax(axis=1) == labels))}


def embedder(model) -> Callable[[np.ndarray], np.ndarray]:
    """Make the function that applies a net to images, (n, ...) float32 -> (n, units) float32; it is compiled once."""
    forward = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
    return lambda images: in_batches(forward, images, 500, "embedding")


def in_batches(forward: Callable, images: np.ndarray, size: int, label: str) -> np.ndarray:
    """Apply a function of tensors to images (n, ...), at most `size` at once, under a progress bar -> (n, ...).

    The last batch is filled up with zeros, whose results are dropped: another size would be compiled anew.
    """
    size = min(size, len(images))
    results = []
    for start in progress(range(0, len(images), size), desc=label, unit="batch"):
        batch = images[start : start + size]
        batch = np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)])
        results.append(forward(tf.constant(batch)).numpy())
    return np.concatenate(results)[: len(images)]


def progress(items: Iterable, **options) -> tqdm:
    """Show a progress bar: lively on a terminal, a line now and then in a log file."""
    return tqdm(items, leave=False, mininterval=0.5 if sys.stderr.isatty() else 30.0, **options)


def seed_dropout(model, seed: int, epoch: int) -> None:
    """Set the state of every dropout layer for one epoch, so that it does not depend on how that epoch was reached."""
    for place, layer in enumerate(layer for layer in model.layers if hasattr(layer, "seed_generator")):
        layer.seed_generator.state.assign(pair(seed, "dropout", epoch, place).astype("uint32"))
