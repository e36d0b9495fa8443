"""The epoch loop that all nets share: resume, train, validate, write a checkpoint, report."""

import math
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np

from oneshot.core.errors import UserError
from oneshot.core.progress import progress
from oneshot.core.seeds import pair
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.tensorflow import tf

OnEpoch = Callable[[dict[str, float]], None]


def run_epochs(
    *,
    epochs: int,
    variables: list[tf.Variable],
    train_epoch: Callable[[int], dict[str, float]],
    validate: Callable[[int], dict[str, float]],
    checkpoint: Checkpoint,
    on_epoch: OnEpoch,
    rate: str,
) -> list[dict[str, float]]:
    """Train for a number of epochs; return the metrics of each epoch.

    variables: everything that training changes (weights, statistics, optimizer state); train_epoch(epoch): trains one
    epoch, counted from 0, and returns its metrics; all its random numbers must follow from the epoch's number;
    validate(epoch): returns the metrics after it; on_epoch(metrics): called for each finished epoch, including those of
    an interrupted run; rate: the parameter to lower if the training diverges, and its value. The result has the same
    bytes whether or not the training was interrupted; a checkpoint whose arrays do not fit the variables is not used.
    Raises UserError, and deletes the checkpoint, if the metrics of an epoch are not finite.
    """
    first, history = 0, []
    stored = checkpoint.restore()
    if stored and not _fit(stored[1], variables):
        print(f"the checkpoint {checkpoint.path.name} is of another net: starting over", file=sys.stderr)
        stored = None
    if stored:
        first, arrays, history = stored
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        print(f"resuming after epoch {first} of {epochs}", flush=True)
    for row in history:
        on_epoch(row)
    for epoch in range(first, epochs):
        start = time.monotonic()
        row = {f"training/{name}": value for name, value in train_epoch(epoch).items()}
        row |= {f"validation/{name}": value for name, value in validate(epoch).items()}
        if not all(math.isfinite(value) for value in row.values()):
            checkpoint.delete()
            lost = ", ".join(f"{name} is {value}" for name, value in row.items() if not math.isfinite(value))
            raise UserError(f"the training diverged in epoch {epoch + 1}: {lost}; lower {rate}")
        history.append(row)
        values = ", ".join(f"{name} {value:.4f}" for name, value in row.items())
        print(f"epoch {epoch + 1}/{epochs}: {values} ({time.monotonic() - start:.0f} s)", flush=True)
        # Saved first, so that `on_epoch` can end the training without losing the epoch.
        checkpoint.save(epoch + 1, [variable.numpy() for variable in variables], history)
        on_epoch(row)
    return history


def _fit(arrays: list[np.ndarray], variables: list[tf.Variable]) -> bool:
    """Whether stored arrays are as many as the variables and have their shapes."""
    return [array.shape for array in arrays] == [tuple(variable.shape) for variable in variables]


def average_over(
    batches: Iterable, step: Callable[..., dict[str, tf.Tensor]], *, total: int, label: str
) -> dict[str, float]:
    """Run `step` on each batch, with a progress bar, and average its metrics, weighted by "count".

    step(*batch) -> {"count": images or pairs in the batch, NAME: mean over the batch, ...}; total: number of batches.
    """
    sums: dict[str, float] = {}
    weight = 0.0
    for batch in progress(batches, total=total, desc=label, unit="step"):
        values = {name: float(value) for name, value in step(*batch).items()}
        count = values.pop("count")
        weight += count
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value * count
    return {name: value / weight for name, value in sums.items()}


def seed_dropout(model, seed: int, epoch: int) -> None:
    """Set the state of every dropout layer for one epoch, so that a resumed training drops the same units."""
    for place, layer in enumerate(layer for layer in model.layers if hasattr(layer, "seed_generator")):
        layer.seed_generator.state.assign(pair(seed, "dropout", epoch, place).astype("uint32"))
