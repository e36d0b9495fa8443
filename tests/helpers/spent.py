"""A limit on the time and memory of a block of code."""

import time
import tracemalloc

MIB = 1 << 20


class Spent:
    """Fails unless the block takes under 5 seconds and under 64 MiB of Python's memory."""

    def __enter__(self):
        tracemalloc.start()
        self.start = time.monotonic()

    def __exit__(self, *_):
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert time.monotonic() - self.start < 5
        assert peak < 64 * MIB
