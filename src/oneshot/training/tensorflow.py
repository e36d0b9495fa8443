"""TensorFlow, set up the one way that this project uses it: fast on a CPU, and the same bytes on every run.

Every module takes `keras` and `tf` from here, so that none can import them before they are set up.
"""

import os

from oneshot.core.seeds import derive

# Read when TensorFlow is imported. On AVX2 oneDNN's convolutions are faster than TensorFlow's own (see `make bench`).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# On import TensorFlow writes lines that no setting hushes; TF_CPP_MIN_LOG_LEVEL=0 lets them through.
_stderr = os.dup(2)
if os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3":
    _nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(_nowhere, 2)
    os.close(_nowhere)
try:
    import keras
    import tensorflow as tf
finally:
    os.dup2(_stderr, 2)
    os.close(_stderr)

tf.config.experimental.enable_op_determinism()


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def seed_initialisation(seed: int) -> None:
    """Seed the initial weights of the nets built next; nothing else takes its numbers from this state."""
    keras.utils.set_random_seed(derive(seed, "initialisation") % 2**32)
