"""Which stages DVC would rerun for a change of each parameter and of each module, against tables written by hand.

The stages' outputs are placeholders here, recorded by `dvc commit`: what reruns depends on declarations alone.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo

from oneshot import params
from tools import smoke

pytestmark = pytest.mark.pipeline

CIFAR10 = {"train_convnet@10-class", "train_convnet@6-class", "extract_features", "one_shot_cifar10"}
SIAMESE = {"train_siamese@2", "train_siamese@3", "one_shot_mnist"}
DENSE = {"train_dense_embedding@all", "train_dense_embedding@seen", "one_shot_mnist"}
ONE_SHOT = {"one_shot_cifar10", "one_shot_mnist"}
DOWNLOAD = {"download@cifar10", "download@mnist"}
SPLIT = {"split"} | CIFAR10 | SIAMESE | DENSE
ALL = DOWNLOAD | SPLIT


# Leaf of params.yaml: another value, and what it makes rerun, stages further down included.
PARAMETERS = {
    "seed": (2, SPLIT),
    "margin": (2.0, SIAMESE),
    "download.sources": (["npm"], ALL),
    "download.folder": ("elsewhere", ALL),
}

# Module of src/oneshot: what a change of it makes rerun, stages further down included.
MODULES = {}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose dvc.lock records placeholders as the outputs of its code and parameters."""
    root = smoke.copy(tmp_path_factory.mktemp("recorded") / "project")
    with Repo(str(root)) as repo:
        for out in (out for stage in repo.index.stages for out in stage.outs):
            path = Path(out.fs_path)
            file = path if path.suffix else path / "placeholder"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(out.def_path)
    with Repo(str(root)) as repo:
        repo.commit(force=True)
    return root


@pytest.fixture
def project(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The recorded project as the working directory; what a test changed is put back."""
    monkeypatch.chdir(recorded)
    yield recorded
    smoke.git(recorded, "checkout", "--quiet", ".")


def would_run() -> set[str]:
    """What `dvc repro` here would run if each stage that runs also changes its outputs."""
    with Repo() as repo:
        return {stage.name for stage in repo.reproduce(dry=True, force_downstream=True)}


def test_nothing_reruns_without_a_change(project: Path):
    assert would_run() == set()


def test_every_leaf_is_in_the_table():
    assert set(params._keys(params.read(smoke.ROOT))) == PARAMETERS.keys()


@pytest.mark.parametrize("leaf", PARAMETERS)
def test_a_parameter_reruns_what_depends_on_it(project: Path, leaf: str):
    value, stages = PARAMETERS[leaf]
    smoke.shrink(project, {leaf: value})
    assert would_run() == stages


def test_the_other_values_are_valid():
    tree = params.read(smoke.ROOT)
    schemas = params.stage_schemas(smoke.ROOT)
    for leaf, (value, _) in PARAMETERS.items():
        changed = copy.deepcopy(tree)
        *groups, name = leaf.split(".")
        branch = changed
        for group in groups:
            branch = branch[group]
        assert branch[name] != value
        branch[name] = value
        params.check(changed, schemas)


def test_every_module_is_in_the_table():
    library = smoke.ROOT / "src/oneshot"
    modules = {path.relative_to(library).with_suffix("").as_posix() for path in library.rglob("*.py")}
    assert modules - {"__init__"} == MODULES.keys()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_reruns_what_imports_it(project: Path, module: str):
    with (project / f"src/oneshot/{module}.py").open("a") as file:
        file.write("# touched\n")
    assert would_run() == MODULES[module]


@pytest.mark.parametrize("script", [path.name for path in sorted((smoke.ROOT / "stages").glob("*.py"))])
def test_a_script_reruns_its_own_stages(project: Path, script: str):
    with (project / f"stages/{script}").open("a") as file:
        file.write("# touched\n")
    with Repo() as repo:
        changed = repo.status()
    assert {name.split("@")[0] for name in changed} == {script.removesuffix(".py")}


@pytest.mark.parametrize("name", ["README.md", "Makefile", "tools/smoke.py", "tests/pipeline/conftest.py"])
def test_what_no_stage_uses_reruns_nothing(project: Path, name: str):
    with (project / name).open("a") as file:
        file.write("\n")
    assert would_run() == set()
