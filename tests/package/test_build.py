"""The wheel: what is in it, and that it works on its own (`make package` tries it in an empty environment)."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.package import signs

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.pipeline

HIDDEN = ["dvc", "h5py", "jinja2", "keras", "matplotlib", "onnx", "plotly", "pydantic", "ruamel", "tensorflow", "yaml"]
# As if these were not installed.
RUN = """
import sys
hidden = {hidden}
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ImportError(name)
sys.meta_path.insert(0, Hide())
sys.path.insert(0, {wheel!r})
from oneshot.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, made from the unpacked sdist."""
    folder = tmp_path_factory.mktemp("package")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run([*build, "--target", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (source,) = folder.glob("*.tar.gz")
    subprocess.run(["tar", "xzf", source.name], cwd=folder, check=True)
    subprocess.run([*build, "--target", "wheel"], cwd=source.with_suffix("").with_suffix(""), check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as packed:
        packed.extractall(folder / "wheel")
    return folder / "wheel"


def test_the_wheel_holds_the_library_as_it_is_in_git_and_the_encoders_for_drawings(wheel: Path):
    listed = subprocess.run(["git", "ls-files", "src/oneshot"], cwd=ROOT, check=True, capture_output=True, text=True)
    expected = {path.removeprefix("src/") for path in listed.stdout.splitlines() if (ROOT / path).exists()}
    found = {str(path.relative_to(wheel)) for path in wheel.rglob("*") if path.is_file()}
    data = {path for path in found - expected if not path.startswith("oneshot_dvc-")}
    assert expected <= found and "oneshot/py.typed" in found
    assert {path for path in data if path.endswith(".onnx")} == {
        f"oneshot/encoders/data/{name}.onnx" for name in ("siamese-2d", "siamese-3d", "dense-all", "dense-seen")
    }
    assert {Path(path).parent.as_posix() for path in data} == {"oneshot/encoders/data", "oneshot/use/recipe"}


def test_the_base_dependencies_are_enough_elsewhere(wheel: Path, tmp_path: Path):
    signs.write(tmp_path)
    code = RUN.format(hidden=HIDDEN, wheel=str(wheel))
    command = [sys.executable, "-I", "-c", code, "classify", "signs", "new", "--encoder", "siamese-3d", "--json", "-"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["images"]
    assert len(rows) == 8 and all(row["image"].startswith(f"new/{row['class']} ") for row in rows)
