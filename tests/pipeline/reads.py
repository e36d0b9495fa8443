"""Run a script and list what Python reads: each variable as "v NAME", each path that is opened or listed as "f PATH".

    READS=FILE python reads.py SCRIPT [WORDS]

What C libraries read is listed by reads.c, into the same file.
"""

import os
import runpy
import sys

_lines = open(os.environ["READS"], "a", buffering=1)  # noqa: SIM115
_environ = type(os.environ)
_get = _environ.__getitem__


def _audit(event: str, arguments: tuple) -> None:
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes):
        _lines.write(f"f {os.fsdecode(arguments[0])}\n")


def _noted(self, name):
    _lines.write(f"v {os.fsdecode(name)}\n")
    return _get(self, name)


def _contains(self, name) -> bool:
    try:
        _noted(self, name)
    except KeyError:
        return False
    return True


if __name__ == "__main__":
    sys.addaudithook(_audit)
    _environ.__getitem__, _environ.__contains__ = _noted, _contains
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")
