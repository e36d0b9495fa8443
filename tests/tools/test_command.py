"""How the tools end: what a user can cause is a status and at most one sentence, not a traceback."""

import errno
import os
import subprocess
import sys

import pytest
from dvc.exceptions import DvcException

from oneshot.core.errors import UserError
from tools import smoke
from tools.command import command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (subprocess.CalledProcessError(9, "dvc"), 9),
        (UserError("no metrics"), "error: no metrics"),
        (DvcException("no lock,\n so wait"), "error: no lock, so wait"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "error: [Errno 13] Permission denied: '/x'"),
        (SystemExit(2), 2),
    ],
)
def test_a_mistake_or_an_interruption_is_a_status_or_a_sentence(error: BaseException, code: object):
    @command
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == code


def test_a_fault_of_the_tool_is_a_traceback():
    @command
    def main() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        main()


def test_a_closed_pipe_ends_it_quietly():
    """As `make experiments | head -1`."""
    code = "from tools.command import command\n@command\ndef main():\n    print('line\\n' * 10**6)\nmain()"
    read, write = os.pipe()
    os.close(read)
    variables = os.environ | {"PYTHONPATH": f"{smoke.ROOT}{os.pathsep}{smoke.ROOT / 'src'}"}
    done = subprocess.run([sys.executable, "-c", code], env=variables, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
