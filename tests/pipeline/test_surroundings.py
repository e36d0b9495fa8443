"""What the stages read of their surroundings, listed as they run, and the same bytes whatever stands there.

One small stage of each kind: the split, a training, an evaluation, an encoder, the pictures.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from oneshot.core import environment
from oneshot.core.environment import ComputeParams
from tests.pipeline import hostile
from tools import smoke

# In one process, which traces the stages once.
pytestmark = [pytest.mark.pipeline, pytest.mark.data, pytest.mark.xdist_group("surroundings")]

HERE = Path(__file__).parent
STAGES = (
    "split.py",
    "train_siamese.py siamese-2d",
    "one_shot_mnist.py siamese-2d",
    "export_encoder.py siamese-2d",
    "draw_pictures.py",
)
RESULTS = ("data/splits", "models", "features", "exports", "metrics", "plots")
# What is read of the user's environment, and why a stage is left to read it.
LEFT = {
    ("HOME", "XDG_", "TMPDIR", "TEMP", "TMP"): "where files are; which of them are read is tested below",
    ("PATH", "PWD", "LD_LIBRARY_PATH", "LD_PRELOAD", "__PYVENV_LAUNCHER__"): "where programs and libraries are",
    ("COLUMNS", "LINES"): "the size of the terminal",
    ("FC_", "FONTCONFIG_"): "which fonts the system has; matplotlib's own stand before them",
    ("OPENSSL_",): "hashes are the same with any settings",
    ("EXPAT_", "PY_SAX_PARSER"): "the Python packages that can parse XML; nothing is parsed",
    ("GCS_", "GRPC_", "ENABLE_RUNTIME_UPTIME_TELEMETRY", "DISABLE_HOST_SEND_RECV_REGISTRATION"): "remote machines",
    ("ONESHOT_ENVIRONMENT", "READS"): "of the stage and of this test",
}
# In the home folder: matplotlib's list of fonts, those of the system, and styles, which are not used.
LOOKED_FOR = (".cache/matplotlib", ".config/matplotlib", ".config/fontconfig", ".fonts", ".local/share/fonts")


def run(folder: Path, variables: Mapping[str, str], trace: Sequence[str] = (), closed: str = "") -> dict[str, str]:
    """Run the stages, after deleting what they wrote; return the SHA-256 of each result.

    trace: words before the name of the script; closed: redirections of the shell.
    """
    for name in RESULTS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for stage in STAGES:
        script, *words = stage.split()
        command = ["sh", "-c", f'exec "$@" {closed}', "sh", "python", *trace, f"stages/{script}", *words]
        done = subprocess.run(command, cwd=folder, env=variables, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{stage}: {done.stderr[-2000:]}"
    paths = [path for name in RESULTS for path in sorted((folder / name).rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def plain(home: Path) -> dict[str, str]:
    """A user with nothing but a home folder."""
    home.mkdir(exist_ok=True)
    return {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small copy with the data."""
    folder = smoke.copy(tmp_path_factory.mktemp("surroundings") / "project")
    smoke.shrink(folder)
    for data in ("cifar10", "mnist"):
        command = [sys.executable, "stages/download.py", data]
        subprocess.run(command, cwd=folder, env=smoke.environment(folder), check=True)
    return folder


@pytest.fixture(scope="module")
def traced(project: Path) -> tuple[dict[str, str], Path, set[str], set[str]]:
    """The hashes of a plain user's results, the home folder, and which variables and paths were read."""
    home, log = project.parent / "home", project.parent / "reads"
    variables = plain(home) | {"READS": str(log)} | _library(project.parent)
    wanted = run(project, variables, [str(HERE / "reads.py")])
    lines = log.read_text(errors="replace").splitlines()
    names, paths = ({line[2:] for line in lines if line.startswith(kind)} for kind in "vf")
    return wanted, home, names, paths


def _library(folder: Path) -> dict[str, str]:
    """The variable by which C libraries' reads are listed too, where there is a compiler."""
    if (compiler := shutil.which("gcc")) is None or not sys.platform.startswith("linux"):
        return {}
    library = folder / "reads.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, HERE / "reads.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def test_every_variable_that_is_read_is_fixed_dropped_or_known(traced):
    """A new version of a library that reads another variable fails here: drop it, or write down why it may stay."""
    _, _, names, _ = traced
    fixed = environment.settings(ComputeParams(threads=2, instructions="portable"))
    assert {"TF_USE_LEGACY_KERAS", "PYDANTIC_DISABLE_PLUGINS", "SKLEARN_ASSUME_FINITE", "MPLCONFIGDIR"} <= names
    reach = environment.replaced(dict.fromkeys(names, "x"), ComputeParams(threads=2, instructions="portable"))
    known = tuple(prefix for prefixes in LEFT for prefix in prefixes) + environment._KEPT
    assert sorted(name for name in reach if name not in fixed and not name.startswith(known)) == []


def test_no_file_outside_of_project_environment_and_system_is_read_but_known_ones(traced):
    _, home, _, paths = traced
    below = {Path(path).relative_to(home) for path in paths if path.startswith(f"{home}/")}
    assert sorted(str(path) for path in below if not str(path).startswith(LOOKED_FOR)) == []


def test_no_setting_of_a_user_changes_a_byte(traced, project: Path, tmp_path: Path):
    """All at once: variables of every kind, and files where libraries look for them."""
    wanted, _, names, _ = traced
    variables = plain(tmp_path / "home") | foreign_variables(names) | hostile.settings(tmp_path / "home")
    foreign = project / "json.py", project / "matplotlibrc", project / "sitecustomize.py"
    plant(tmp_path / "home")
    try:
        for path in foreign:
            path.write_text("font.size: 2" if path.suffix == "" else "raise SystemExit('foreign')")
        variables["PYTHONPATH"] = str(tmp_path / "home/packages")
        assert run(project, variables) == wanted
    finally:
        for path in foreign:
            path.unlink()


def test_no_missing_surroundings_change_a_byte(traced, project: Path):
    """Neither a home folder, a locale, nor standard streams; files that only their owner may read; a strange time."""
    wanted, *_ = traced
    nothing = {"HOME": "/no/such/home", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "XX+25"}
    before = os.umask(0o077)
    try:
        assert run(project, plain(project.parent / "home") | nothing, closed="<&- >&- 2>&-") == wanted
    finally:
        os.umask(before)


@pytest.mark.long
@pytest.mark.parametrize("value", ["1", "no/such:ü=*"])
@pytest.mark.parametrize("prefixes", [prefixes for prefixes in LEFT if not {"PATH", "READS"} & set(prefixes)], ids=min)
def test_no_value_of_what_a_stage_may_see_changes_a_byte(
    traced, project: Path, tmp_path: Path, prefixes: tuple[str, ...], value: str
):
    """One group of variables after the other, of those that are not dropped."""
    wanted, _, names, _ = traced
    given = dict.fromkeys((name for name in names if name.startswith(prefixes)), value)
    assert given and run(project, plain(tmp_path / "home") | given) == wanted


def foreign_variables(names: set[str]) -> dict[str, str]:
    """Every variable that is read, with a value that no library expects.

    Those of Python have values that it accepts. Left out are those that say where files are, and RUAMEL_DEBUG, with
    which params.yaml cannot be read: that ends with an error.
    """
    places = (
        "RUAMEL_DEBUG",
        "HOME",
        "PATH",
        "READS",
        "LD_",
        "ONESHOT_",
        "TMP",
        "TEMP",
        "XDG_",
        "PYTHON",
        "_PYTHON",
        "__PYVENV",
    )
    python = {"DEVMODE": "1", "HASHSEED": "11", "OPTIMIZE": "2", "SAFEPATH": "1", "UTF8": "0", "WARNINGS": "error"}
    return {name: "no/such:1" for name in names if not name.startswith(places)} | {
        f"PYTHON{name}": value for name, value in python.items()
    }


def plant(home: Path) -> None:
    """Write the files of a user that libraries look for: a plugin of TensorFlow, packages, a style of matplotlib."""
    user = Path(sysconfig.get_path("purelib", "posix_user", {"userbase": str(home / ".local")}))
    for folder in (user, home / "packages"):
        (folder / "numpy").mkdir(parents=True)
        (folder / "numpy/__init__.py").write_text("raise SystemExit('foreign')")
    (user / "tensorflow-plugins").mkdir()
    (user / "tensorflow-plugins/libforeign.so").write_text("no library")
    style = home / ".config/matplotlib/stylelib/default.mplstyle"
    style.parent.mkdir(parents=True, exist_ok=True)
    style.write_text("font.size: 3\n")
