"""What this machine's processors are, as far as the libraries choose their code by it."""

import os
from pathlib import Path

# Set by environment.py to compute.threads. TensorFlow's own variables do not reach all of its thread pools.
THREADS = "ONESHOT_THREADS"

# The processor flags by which the libraries choose their code.
_INSTRUCTIONS = (
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "asimd",
    "sve",
)


def count() -> int:
    """Count the processors that this process may use, by its affinity and by the limit of its container (cgroup)."""
    from joblib import cpu_count  # takes a quarter of a second, which a program that asks for help need not spend

    return cpu_count()


def threads() -> int:
    """How many threads may compute: compute.threads in a stage, otherwise one per processor that may be used."""
    return int(os.environ.get(THREADS) or count())


def instructions() -> list[str]:
    """List the instruction sets of this processor by which the libraries choose their code; empty if not Linux."""
    known = facts()
    flags = known.get("flags", known.get("Features", "")).split()
    return [name for name in _INSTRUCTIONS if name in flags]


def facts() -> dict[str, str]:
    """Return what Linux reports about the first processor; empty on other systems."""
    try:
        first = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
