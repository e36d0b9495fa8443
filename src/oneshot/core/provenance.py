"""Provenance of a result: processor, settings and libraries. The record is kept in Git, but not hashed by DVC."""

import os
import platform
import sys
from importlib.metadata import version

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
