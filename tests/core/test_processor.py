"""The processors of this machine, as TensorFlow sees them."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from joblib.externals.loky.backend import context as loky

from oneshot.core import processor

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux restricts a process to processors")
def test_only_processors_that_this_process_may_use_are_counted():
    code = (
        "import os\n"
        "from oneshot.core import processor\n"
        "print(processor.count())\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "print(processor.count())\n"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=variables, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(len(os.sched_getaffinity(0))), "1"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux restricts a process to processors")
@pytest.mark.parametrize(("chosen", "threads"), [(None, "1"), ("3", "3")])
def test_threads_are_those_of_compute_or_the_processors_that_may_be_used(chosen, threads):
    code = (
        "import os\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from oneshot.core import processor\n"
        "print(processor.threads())\n"
    )
    variables = {name: value for name, value in os.environ.items() if name != processor.THREADS}
    variables |= {"PYTHONPATH": str(ROOT / "src")} | ({processor.THREADS: chosen} if chosen else {})
    done = subprocess.run([sys.executable, "-c", code], env=variables, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [threads]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux has cgroups")
@pytest.mark.parametrize(("limit", "threads"), [("max 100000", 4), ("150000 100000", 2), ("10000 100000", 1)])
def test_threads_follow_the_limit_of_a_container(monkeypatch, limit: str, threads: int):
    """Of version 2, on a machine with four processors: microseconds of each period, or "max"."""
    monkeypatch.delenv(processor.THREADS, raising=False)
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(4)))
    monkeypatch.setattr(loky, "open", lambda name: io.StringIO(limit), raising=False)
    monkeypatch.setattr(loky.os.path, "exists", lambda name: Path(name).name == "cpu.max")
    assert processor.threads() == threads


def test_the_instructions_are_flags_of_the_processor():
    flags = Path("/proc/cpuinfo").read_text().split()
    assert set(processor.instructions()) <= set(flags)
    assert ("avx2" in processor.instructions()) == ("avx2" in flags)
