"""The environment variables of a stage: whatever decides the last digits is set, the user's own settings are not used.

How a sum of floats is split over vector lanes and threads decides its last digits, and a training amplifies them. The
libraries choose by the processor, by environment variables and by files in the home folder. So a stage replaces itself,
before anything is imported that reads such settings, by the same command under an environment of this module's.
"""

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from oneshot.core.params import Schema

# Settings of the libraries that decide digits; what the user has set of them is dropped.
_DROPPED = (
    *("TF_", "XLA_", "ONEDNN_", "DNNL_", "KERAS_", "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_"),
    *("ONESHOT_THREADS", "NPY_", "NUMEXPR_", "MPL", "MATPLOTLIB", "SKLEARN_", "SCIPY_", "GLIBC_", "LC_", "LANG"),
    *("PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONIOENCODING", "PYTHONUTF8"),
)
# Of these, the ones that change no result.
_KEPT = ("TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR")

_ALWAYS = {
    # oneDNN's convolutions are faster than TensorFlow's own on AVX2 (`make bench`).
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # A product of matrices over several threads has other digits than over one; the library runs several at once.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Keras and matplotlib read no file of the user's: nothing can be below /dev/null.
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,
    "MATPLOTLIBRC": os.devnull,
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
}
# What all x86-64 processors with AVX2 have in common.
_PORTABLE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
# Read by training/tensorflow.py: TensorFlow's own variables for it do not reach all of its thread pools.
THREADS = "ONESHOT_THREADS"
_ENTERED = "ONESHOT_ENVIRONMENT"


class ComputeParams(Schema):
    """What decides the last digits of results.

    threads: of TensorFlow; None means one per processor, and other bytes on machines with other numbers of them.
    instructions: "portable" holds all libraries to AVX2, which gives the same bytes on all x86-64 processors that have
    it; "native" lets them use what this processor has.
    """

    threads: Annotated[int, Field(ge=1, le=1024)] | None
    instructions: Literal["portable", "native"]


def settings(compute: ComputeParams) -> dict[str, str]:
    """The environment variables that the parameters ask for."""
    threads = {} if compute.threads is None else {THREADS: str(compute.threads)}
    return _ALWAYS | threads | (_PORTABLE if compute.instructions == "portable" else {})


def replaced(environment: Mapping[str, str], compute: ComputeParams) -> dict[str, str]:
    """An environment without the user's settings of the libraries, and with those that the parameters ask for."""
    kept = {
        name: value for name, value in environment.items() if name in _KEPT or not name.upper().startswith(_DROPPED)
    }
    return kept | settings(compute)


def enter(compute: ComputeParams) -> None:
    """Replace this process by the same command under the environment that the parameters ask for, if it is another."""
    wanted = replaced(os.environ, compute)
    if dict(os.environ) != wanted and _ENTERED not in os.environ:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted | {_ENTERED: "1"})
    # What the stage starts itself, such as npm, may start Python again.
    os.environ.pop(_ENTERED, None)


def determinants(compute: ComputeParams) -> str:
    """All that this module sets, as a text: a checkpoint of another environment must not be used."""
    threads = os.cpu_count() if compute.threads is None else compute.threads
    return repr((threads, sorted(settings(compute).items())))
