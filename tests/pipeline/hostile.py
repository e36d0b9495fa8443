"""A user with hostile settings, on a machine with another processor: results must not depend on either."""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

from oneshot.download.cache import cache_folder

HERE = Path(__file__).parent


def settings(home: Path) -> dict[str, str]:
    """Write a home folder full of hostile settings; return the environment variables of its user."""
    files = {
        ".keras/keras.json": json.dumps(
            {"backend": "jax", "image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.1}
        ),
        ".config/matplotlib/matplotlibrc": "font.size: 40\nsavefig.dpi: 30\naxes.facecolor: black\n",
        ".config/dvc/config": f"[cache]\n    type = copy\n    dir = {home}/shared\n[core]\n    autostage = true\n",
        ".gitconfig": (
            "[commit]\n    gpgsign = true\n[core]\n"
            f"    hooksPath = {home}/hooks\n    excludesFile = {home}/ignored\n    autocrlf = true\n"
        ),
        "hooks/pre-commit": "#!/bin/sh\nexit 1\n",
        "ignored": "*.html\n*.css\n*.csv\n",
        "matplotlibrc": "font.size: 2\n",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    (home / "hooks/pre-commit").chmod(0o755)
    return {
        # The data sets are not downloaded again.
        "ONESHOT_CACHE": str(cache_folder()),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "KERAS_BACKEND": "jax",
        "KERAS_HOME": str(home / ".keras"),
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        "TF_NUM_INTRAOP_THREADS": "7",
        "OMP_NUM_THREADS": "7",
        "OPENBLAS_NUM_THREADS": "3",
        "OPENBLAS_CORETYPE": "Nehalem",
        "HDF5_DRIVER": "core",
        "LOKY_MAX_CPU_COUNT": "1",
        "PYTHON_CPU_COUNT": "1",
        "GIT_TRACE": "1",
        "MPLBACKEND": "svg",
        "MATPLOTLIBRC": str(home / "matplotlibrc"),
        "PYTHONHASHSEED": "11",
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Pacific/Chatham",
    }


def other_processor(folder: Path) -> dict[str, str]:
    """Environment variables with which programs run as if on an AMD EPYC 7003; none if this machine cannot do that."""
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    compiler = shutil.which("gcc")
    if platform.machine() != "x86_64" or "cpuid_fault" not in flags or compiler is None:
        return {}
    library = folder / "other_processor.so"
    words = ["-O2", "-shared", "-fPIC", "-o", str(library), str(HERE / "other_processor.c")]
    subprocess.run([compiler, *words], check=True)
    return {"LD_PRELOAD": str(library), "OTHER_PROCESSOR": str(HERE / "epyc-milan.cpuid")}


def one_processor() -> None:
    """Let the programs that this thread starts use one processor only."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
