"""TensorFlow, set up to be fast on a CPU and to give the same bytes on every run.

Every module imports `keras` and `tf` from here, so that none can use them before they are set up.
"""

import os
import sys

from oneshot.core.processor import threads
from oneshot.core.seeds import derive

# For programs that are not stages; a stage's environment (core/environment.py) sets more.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Keras imports these too, for what is not used here: a quarter of the time that its own import takes.
_HIDDEN = {"matplotlib", "sklearn"} - sys.modules.keys()
sys.modules.update(dict.fromkeys(_HIDDEN))  # pyright: ignore[reportArgumentType, reportCallIssue]
try:
    import keras
    import tensorflow as tf
finally:
    for _name in _HIDDEN:
        del sys.modules[_name]

tf.config.experimental.enable_op_determinism()
# The number of threads decides how sums are split. Left to TensorFlow, it would not follow the limit of a container.
tf.config.threading.set_intra_op_parallelism_threads(threads())
tf.config.threading.set_inter_op_parallelism_threads(threads())


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def known_size(tensor: tf.Tensor, axis: int) -> int:
    """Return the size of a tensor along one axis; raises ValueError if it is not known when the graph is traced."""
    size = tensor.shape[axis]
    if size is None:
        raise ValueError(f"the size along axis {axis} must be known, got {tensor.shape}")
    return size


def adam(learning_rate: float | keras.optimizers.schedules.LearningRateSchedule) -> keras.optimizers.Optimizer:
    """Make Keras's Adam; its type annotation wrongly excludes schedules."""
    return keras.optimizers.Adam(learning_rate)  # pyright: ignore[reportArgumentType]


def seed_initialisation(seed: int) -> None:
    """Seed the initial weights of the nets that are built next; nothing else uses this random state."""
    keras.utils.set_random_seed(derive(seed, "initialisation") % 2**32)
