"""Provenance of a result: processor, settings and libraries. The record is kept in Git, but not hashed by DVC."""

import contextlib
import os
import platform
import resource
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from oneshot.core import processor
from oneshot.core.environment import ComputeParams, settings

_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "matplotlib", "pillow", "dvc")


def machine(compute: ComputeParams) -> dict:
    """Describe this machine and the settings of a stage, for a JSON file."""
    facts = processor.facts()
    return {
        "processor": facts.get("model name", platform.processor() or platform.machine()),
        "family": facts.get("cpu family", ""),
        "model": facts.get("model", ""),
        "instructions": processor.instructions(),
        "processors": processor.count(),
        "threads": compute.threads,
        "memory_gib": _memory(),
        "gpu": _gpus(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "settings": settings(compute),
    }


def processor_of(record: Mapping) -> str:
    """Name the processor of a record of `machine`."""
    return f"{record['processor']}, family {record['family']}, model {record['model']}"


def _memory() -> int | None:
    """What this machine has, or the limit of its container, in GiB."""
    try:
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):
        return None
    for file in ("memory.max", "memory/memory.limit_in_bytes"):  # of cgroups, version 2 and 1
        with contextlib.suppress(OSError, ValueError):  # "max" if there is none
            limits.append(int(Path("/sys/fs/cgroup", file).read_text()))
    return round(min(limits) / 2**30)


def peak_memory() -> float:
    """The most memory that this process or one that it started has held at once so far, in GiB."""
    kilobyte = 1 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * kilobyte
    try:
        # getrusage would count what the process that started this one held.
        (line,) = (row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM:"))
        own = int(line.split()[1]) * 1024
    except (OSError, ValueError):
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte
    return round(max(own, children) / 2**30, 2)


def _gpus() -> list[str]:
    """The GPUs that TensorFlow sees, if the stage has imported it."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return []
    config = tensorflow.config
    devices = config.list_physical_devices("GPU")
    return [config.experimental.get_device_details(device).get("device_name", device.name) for device in devices]
