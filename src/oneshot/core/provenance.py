"""Provenance of a result: processor, settings and libraries. The record is kept in Git, but not hashed by DVC."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from oneshot.core.environment import ComputeParams, settings

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
_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "matplotlib", "pillow", "dvc")


def machine(compute: ComputeParams) -> dict:
    """Describe this machine and the settings of a stage, for a JSON file."""
    facts = _processor_facts()
    return {
        "processor": facts.get("model name", platform.processor() or platform.machine()),
        "family": facts.get("cpu family", ""),
        "model": facts.get("model", ""),
        "instructions": instructions(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": compute.threads,
        "memory_gib": _memory(),
        "gpu": _gpus(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "settings": settings(compute),
    }


def instructions() -> list[str]:
    """List the instruction sets of this processor by which the libraries choose their code; empty if not Linux."""
    facts = _processor_facts()
    flags = facts.get("flags", facts.get("Features", "")).split()
    return [name for name in _INSTRUCTIONS if name in flags]


def _processor_facts() -> dict[str, str]:
    """What Linux reports about the first processor; empty on other systems."""
    try:
        first = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _memory() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, OSError, ValueError):
        return None


def _gpus() -> list[str]:
    """The GPUs that TensorFlow sees, if the stage has imported it."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return []
    config = tensorflow.config
    devices = config.list_physical_devices("GPU")
    return [config.experimental.get_device_details(device).get("device_name", device.name) for device in devices]
