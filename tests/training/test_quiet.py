"""Lines that a library writes on import are hidden, but never those of an import that fails."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(code: str) -> subprocess.CompletedProcess:
    """Run a block under quiet(True) in its own process."""
    start = "import os, sys\nfrom oneshot.training.quiet import quiet\n"
    command = [sys.executable, "-c", f"{start}with quiet(True):\n    {code}\nprint('after', file=sys.stderr)"]
    return subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=60)


def test_what_a_good_start_writes_is_hidden():
    done = run("os.write(2, b'noise\\n')")
    assert (done.returncode, done.stderr) == (0, "after\n")


def test_what_a_failed_start_writes_is_shown():
    done = run("os.write(2, b'wrong library\\n'); raise ImportError('no such symbol')")
    assert done.returncode == 1
    assert "wrong library" in done.stderr and "no such symbol" in done.stderr


@pytest.mark.parametrize("ending", ["os.abort()", "os.kill(os.getpid(), 4)", "os._exit(3)"])
def test_a_start_that_ends_the_process_leaves_its_last_words(ending: str):
    """As TensorFlow does on a processor without AVX."""
    done = run(f"os.write(2, b'compiled to use AVX\\n'); {ending}")
    assert done.returncode != 0
    assert "compiled to use AVX" in done.stderr
