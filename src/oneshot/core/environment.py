"""The environment variables of a stage: those that decide the last digits are fixed, the user's settings are ignored.

How a sum of floats is split over vector lanes and threads decides its last digits, and training amplifies them. The
libraries choose by the processor, by environment variables and by files in the home folder. So before a stage imports
anything that reads such settings, it replaces itself with the same command in the environment that is defined here.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from oneshot.core import processor
from oneshot.core.params import Schema

# Prefixes of the settings that decide digits, or whether a stage works: the user's values are dropped. They are what
# the libraries were seen to read (tests/pipeline/test_surroundings.py).
_DROPPED = (
    *("TF_", "TF2_", "XLA_", "ONEDNN_", "DNNL_", "KERAS_", "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "GOTO_"),
    *("BLIS_", "NVPL_", "ONESHOT_THREADS", "NPY_", "NUMPY_", "NUMEXPR_", "MPL", "MATPLOTLIB", "SKLEARN_", "SCIPY_"),
    *("PANDAS_", "LOKY_", "JOBLIB_", "HDF5_", "H5PY_", "GLIBC_", "MALLOC_", "LC_", "LANG", "PYTHON", "_PYTHON"),
    *("ABSL_", "ACC_", "AUTOGRAPH_", "FREETYPE_", "GFORTRAN_", "HB_", "INTEL_", "LLVM_", "PILLOW_"),
    *("PROTOCOL_BUFFERS_", "PSUTIL_", "PYDANTIC_", "PYPARSING", "RUAMEL_", "TEMPORARILY_DISABLE_PROTOBUF", "TEST_"),
    *("TPU_", "WRAPT_", "SOURCE_DATE_EPOCH"),
)
# Exceptions, which change no result.
_KEPT = (
    *("TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR", "PYTHONDONTWRITEBYTECODE"),
    *("PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER"),
)

_ALWAYS = {
    # oneDNN's convolutions are faster than TensorFlow's own on AVX2 (`make bench`).
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # A matrix product that is split over threads has different last digits; several products run at once instead.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Keras and matplotlib must not read the user's files: nothing can exist below /dev/null.
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,
    "MATPLOTLIBRC": os.devnull,
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",
    # TensorFlow executes the plugins that it finds among the user's own packages, outside of this environment too.
    "PYTHONUSERBASE": os.devnull,
    # Files are written beside their place and renamed, so nothing needs a lock, which some file systems do not have.
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "LC_ALL": "C.UTF-8",
}
# What all x86-64 processors with AVX2 have in common.
_PORTABLE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
# The folders of this project from which Python imports: that of the library, and that of tools.
_OWN = tuple(os.path.realpath(Path(__file__).parents[level]) for level in (2, 3))
_ENTERED = "ONESHOT_ENVIRONMENT"


class ComputeParams(Schema):
    """What decides the last digits of results.

    threads: TensorFlow's threads; None means one per processor, so the bytes depend on how many there are.
    instructions: "portable" restricts all libraries to AVX2, which gives the same bytes on all x86-64 processors that
    have it; "native" lets them use whatever this processor has.
    """

    threads: Annotated[int, Field(ge=1, le=1024)] | None
    instructions: Literal["portable", "native"]


class TrainingComputeParams(ComputeParams):
    """The same for the ConvNets' training, which may also compute with half the digits.

    precision: "bfloat16" computes maps and products with 8 significant bits, where the processor has instructions for
    it; weights, sums and batch-norm statistics stay in float32.
    """

    precision: Literal["float32", "bfloat16"]

    @model_validator(mode="after")
    def _bfloat16_is_native(self):
        if self.precision == "bfloat16" and self.instructions == "portable":
            raise ValueError(
                "the precision bfloat16 needs instructions beyond AVX2: set compute.instructions to native"
            )
        return self


def settings(compute: ComputeParams) -> dict[str, str]:
    """The environment variables that the parameters ask for."""
    threads = {} if compute.threads is None else {processor.THREADS: str(compute.threads)}
    return _ALWAYS | threads | (_PORTABLE if compute.instructions == "portable" else {})


def replaced(environment: Mapping[str, str], compute: ComputeParams) -> dict[str, str]:
    """An environment without the user's settings of the libraries, and with those that the parameters ask for."""
    kept = {
        name: value for name, value in environment.items() if name in _KEPT or not name.upper().startswith(_DROPPED)
    }
    # The packages are this environment's, not those of a PYTHONPATH as clusters set it.
    path = map(os.path.realpath, filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
    if own := os.pathsep.join(folder for folder in path if folder in _OWN):
        kept["PYTHONPATH"] = own
    return kept | settings(compute)


def enter(compute: ComputeParams) -> None:
    """Replace this process with the same command in the environment that the parameters ask for, if it differs."""
    wanted = replaced(os.environ, compute)
    if dict(os.environ) != wanted and _ENTERED not in os.environ:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted | {_ENTERED: "1"})
    # A program that the stage starts, such as npm, may start Python in turn.
    os.environ.pop(_ENTERED, None)


def determinants(compute: ComputeParams) -> str:
    """Return all settings of this module as text: a checkpoint from another environment must not be used.

    What the parameters leave to the libraries follows from this machine: its processors and their instructions.
    """
    threads = processor.count() if compute.threads is None else compute.threads
    instructions = processor.instructions() if compute.instructions == "native" else []
    return repr((threads, instructions, sorted(settings(compute).items())))
