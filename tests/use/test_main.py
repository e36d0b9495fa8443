"""`python -m oneshot` as a process: its environment, its statuses, and streams that are closed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.use.conftest import plain

ROOT = Path(__file__).parents[2]
VARIABLES = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
pytestmark = pytest.mark.usefixtures("project")


# The command with the stand-in of the fixture.
ENCODER = ("--encoder", "encoders/6-class.onnx")


def start(*words: str, code: str | None = None, **options) -> subprocess.Popen:
    """Start the command line, or other code that does."""
    command = [sys.executable, *(("-m", "oneshot") if code is None else ("-c", code)), *words]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": VARIABLES} | options
    return subprocess.Popen(command, **options)


def ending(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def test_mistakes_end_with_status_1_and_one_line():
    code, out, err = ending(start("classify", "nowhere at all", "new"))
    assert (code, out) == (1, "")
    assert err == "error: nowhere at all is missing: give the path of a folder with a folder of images per class\n"


def test_a_label_needs_nothing_that_is_slow_to_import():
    code = (
        "import sys\nfrom oneshot.__main__ import main\ntry:\n    main()\nfinally:\n"
        "    print({'sklearn', 'scipy.optimize', 'scipy.stats', 'matplotlib', 'requests'} & set(sys.modules))"
    )
    code, out, _ = ending(start("classify", "examples", "new", *ENCODER, code=code))
    assert code == 0 and out.splitlines()[-1] == "set()"


def test_unknown_words_end_with_status_2_and_help_with_0():
    assert ending(start("classify", "examples", "new", "--size", "wide"))[0] == 2
    code, out, _ = ending(start("--help"))
    assert code == 0 and "classify" in out and "evaluate" in out


def test_a_reader_that_has_gone_is_no_traceback():
    process = start("classify", "examples", "new", *ENCODER)
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(300) == 141


def test_closed_streams_are_no_traceback():
    words = " ".join(["classify", "examples", "new", "--csv", "table.csv", *ENCODER])
    command = f'exec "$PYTHON" -m oneshot {words} <&- >&- 2>&-'
    variables = VARIABLES | {"PYTHON": sys.executable}
    done = subprocess.run(["sh", "-c", command], env=variables, timeout=300)
    assert done.returncode == 0
    assert Path("table.csv").read_text().startswith("image,class,probability")


def test_letters_that_the_terminal_lacks_are_escaped():
    ascii_only = VARIABLES | {"PYTHONIOENCODING": "ascii"}
    code, out, err = ending(start("classify", "examples", "new", *ENCODER, env=ascii_only))
    assert (code, err) == (0, "") and "new/some red \\xe9.png" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence():
    with open("/dev/full", "w") as full:
        code, _, err = ending(start("classify", "examples", "new", *ENCODER, stdout=full))
    assert code == 1 and err == "error: cannot write the output (No space left on device): give another path\n"


def test_ctrl_c_ends_with_130():
    for number in range(50):
        plain((number, 0, 0), number).save(f"new/{number}.png")
    code = (
        "from oneshot.use import representation\n"
        "def wait(*names):\n    import time\n    print('waiting', flush=True)\n    time.sleep(100)\n"
        "representation.read = wait\nfrom oneshot.__main__ import main\nmain()\n"
    )
    # Where the tests run in the background of a shell, Ctrl-C is ignored, by their processes too.
    process = start(
        "classify",
        "examples",
        "new",
        *ENCODER,
        code=code,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout and process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    code, _, err = ending(process)
    assert code == 130 and err.endswith("\ninterrupted\n") and "Traceback" not in err
