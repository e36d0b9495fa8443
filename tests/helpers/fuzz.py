"""Broken input for a reader: 1,000 inputs unless a test asks for fewer, made from a good one by a fixed seed.

Each gives data of the right form or a UserError, in under 2 seconds of processor time; over all of them, the process's
memory grows by less than 256 MiB, and no other file is written.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from oneshot.core.errors import UserError

INPUTS = 1000
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
OPENED: set[str] | None = None  # if a set, the audit hook below adds the paths that are opened for writing


def _audit(event, arguments):
    if OPENED is not None and event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        OPENED.add(str(arguments[0]))


sys.addaudithook(_audit)


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """Change some bytes, truncate, repeat, insert, or replace all; half of the time near the start (the headers)."""
    out = bytearray(content)
    place = int(random.integers(min(len(out), 64) if random.random() < 0.5 else len(out)))
    size = int(random.choice([1, 2, 4, 16, 300]))
    kind = random.integers(7)
    if kind <= 1:
        for _ in range(int(random.integers(1, 5))):
            out[min(place + int(random.integers(16)), len(out) - 1)] = int(random.integers(256))
    elif kind == 2:
        del out[place:]
    elif kind == 3:
        out[place:place] = out[place : place + size] * int(random.integers(1, 50))
    elif kind == 4:
        out[place:place] = random.bytes(size)
    elif kind == 5:
        out[place : place + size] = bytes([int(random.choice([0, 0x37, 0xFF]))]) * size
    else:
        return random.bytes(place)
    return bytes(out)


def _peak(*, reset: bool = False) -> int:
    """The largest memory of this process in bytes, on Linux since it was last reset."""
    process = Path("/proc/self")
    if process.is_dir():
        if reset:
            (process / "clear_refs").write_text("5")
        (line,) = [line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes


def check_broken_inputs(
    name: str,
    check: Callable[[bytes, Path], None],
    good: bytes,
    path: Path,
    monkeypatch,
    finish: Callable[[bytes], bytes] = lambda content: content,
    inputs: int = INPUTS,
) -> None:
    """Check a reader with broken input.

    name: seeds the changes; check: reads content, which it may write to `path`, and asserts what it read; finish:
    packs the changed content, or corrects its checksums.
    """
    check(finish(good), path)
    memory = _peak(reset=True)
    monkeypatch.setattr(sys.modules[__name__], "OPENED", (opened := set()))
    random = np.random.default_rng(sum(name.encode()))
    refused = 0
    for number in range(inputs):
        content = finish(mutated(good, random))
        path.unlink(missing_ok=True)  # where a file is emptied and written again, ext4 waits for the disk
        start = time.process_time()
        try:
            check(content, path)
        except UserError as error:
            refused += 1
            assert "\n" not in str(error)
        except Exception as error:
            raise AssertionError(f"input {number}: {content[:200]!r}") from error
        assert time.process_time() - start < 2, f"input {number}"
    assert refused > inputs / 20  # it was really broken
    assert {str(path)} >= opened
    assert _peak() - memory < 256 << 20
