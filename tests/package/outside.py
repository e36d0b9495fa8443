"""Use the installed package where nobody has the clone: the lines of docs/use.md, and what must not be there.

`make package` runs it with the Python of an empty environment, in an empty folder; it needs nothing of the tests.
"""

import importlib.metadata
import importlib.util
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import signs

DOCS = Path(__file__).parents[2] / "docs/use.md"


def check_files() -> None:
    """The code, its types and the encoders for drawings are installed; tests and stages are not."""
    distribution = importlib.metadata.distribution("oneshot-dvc")
    files = {str(path) for path in distribution.files or []}
    wanted = ["oneshot/py.typed", *(f"oneshot/encoders/data/{name}.onnx" for name in ("siamese-3d", "dense-all"))]
    assert files.issuperset(wanted), sorted(set(wanted) - files)
    places = {path.split("/")[0] for path in files if not path.startswith("..")}
    assert places == {"oneshot", f"oneshot_dvc-{distribution.version}.dist-info"}, places
    for name in ("tensorflow", "keras", "dvc", "matplotlib", "onnx"):
        assert importlib.util.find_spec(name) is None, f"the base has {name}"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import oneshot"], check=True)
    print(f"import oneshot: {time.perf_counter() - start:.2f} s")


def shown_lines(text: str) -> list[tuple[str, list[str]]]:
    """The commands of the docs after "$ ", each with the lines that it prints there."""
    found: list[tuple[str, list[str]]] = []
    shown = False
    for line in text.splitlines():
        if line.startswith("    $ "):
            found.append((line[6:], []))
            shown = True
        elif line and not line.startswith("    "):
            shown = False
        elif line and shown:
            found[-1][1].append(line[4:])
    return found


def check_command(line: str, printed: list[str]) -> None:
    """The command prints the same words as in the docs; numbers may differ in their last digits."""
    words = shlex.split(line)
    assert words[0] == "oneshot", line
    start = time.perf_counter()
    done = subprocess.run([Path(sys.executable).parent / "oneshot", *words[1:]], capture_output=True, text=True)
    found = [row for row in (done.stdout + done.stderr).splitlines() if row]
    print(f"{line}: {time.perf_counter() - start:.1f} s")
    assert [re.findall(r"[A-Za-z]+", row) for row in found] == [re.findall(r"[A-Za-z]+", row) for row in printed], (
        "\n".join(found)
    )


def check_python(text: str) -> None:
    """The Python of the docs runs, with features and labels of two made-up groups of classes."""
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 20)
    features = random.normal(size=(4, 8))[labels] + random.normal(size=(80, 8))
    names = {"seen": features, "seen_labels": labels, "unseen": features, "labels": labels, "classes": range(4)}
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block, names)
    assert names["classifier"].predict(["new/ring 1.jpg"]).tolist() == ["ring"]  # pyright: ignore[reportAttributeAccessIssue]


def main() -> None:
    """Raise AssertionError if something is not as it should be."""
    check_files()
    signs.write(Path())
    Path("notes.txt").write_text("no image\n")
    text = DOCS.read_text()
    commands = [(line, printed) for line, printed in shown_lines(text) if "digits" not in line]
    assert len(commands) >= 2, commands
    for line, printed in commands:
        check_command(line, printed)
    check_python(text)


if __name__ == "__main__":
    main()
