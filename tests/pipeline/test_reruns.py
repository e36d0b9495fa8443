"""Which stages DVC would rerun for a change of each parameter and of each package, against tables written by hand.

The stages' outputs are placeholders here, recorded by `dvc commit`: what reruns depends only on declarations.
"""

import contextlib
import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest
from dvc.dependency import param
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.utils.serialize import parse_yaml

from oneshot.core import params
from tools import smoke

pytestmark = pytest.mark.pipeline

# The page shows all results, and all parameters except those of the download.
PAGE = {"page"}
PICTURES = {"draw_pictures"}
ONE_SHOT_CIFAR10 = {"one_shot_cifar10"} | PICTURES | PAGE
ONE_SHOT_SIAMESE = {"one_shot_mnist@siamese-2d", "one_shot_mnist@siamese-3d"} | PICTURES | PAGE
ONE_SHOT_DENSE = {"one_shot_mnist@dense-all", "one_shot_mnist@dense-seen"} | PICTURES | PAGE
# The page draws by an exported net.
EXPORTS = {
    *(f"export_convnet@{net}" for net in ("10-class", "6-class")),
    *(f"export_digit_net@{net}" for net in ("siamese-2d", "siamese-3d", "dense-all", "dense-seen")),
} | PAGE
ONE_SHOT = ONE_SHOT_CIFAR10 | ONE_SHOT_SIAMESE | ONE_SHOT_DENSE
TEN_CLASS = {"train_convnet@10-class", "extract_features@10-class", "export_convnet@10-class"} | PAGE
SIX_CLASS = {"train_convnet@6-class", "extract_features@6-class", "export_convnet@6-class"} | ONE_SHOT_CIFAR10
CONVNET = TEN_CLASS | SIX_CLASS
SIAMESE = {
    f"{stage}@siamese-{d}d" for stage in ("train_siamese", "export_digit_net") for d in (2, 3)
} | ONE_SHOT_SIAMESE
DENSE = {
    f"{stage}@dense-{g}" for stage in ("train_dense_embedding", "export_digit_net") for g in ("all", "seen")
} | ONE_SHOT_DENSE
TRAINING = CONVNET | SIAMESE | DENSE
SPLIT = {"split"} | TRAINING
DOWNLOAD = {"download@cifar10", "download@mnist"} | SPLIT
# It reads the whole of params.yaml, and so runs after each change of it.
CHECK = {"check_params"}
ALL = CHECK | DOWNLOAD

# Leaf of params.yaml: another value, and what would rerun, stages further down included, if every stage that runs
# changed all its outputs. What did not change goes no further: test_smoke.py shows it for the two halves of a split.
# Left out is check_params.
PARAMETERS = {
    "seed": (2, SPLIT),
    "margin": (2.0, SIAMESE),
    "compute.threads": (1, TRAINING),
    "compute.instructions": ("native", TRAINING),
    "compute.precision": ("bfloat16", CONVNET),
    "download.sources": (["npm"], DOWNLOAD),
    "download.folder": ("elsewhere", DOWNLOAD),
    "cifar10.seen_classes": ([0, 1, 2, 3, 4], SPLIT),
    "cifar10.unseen_classes": ([6, 7, 8], SPLIT),
    "cifar10.validation_per_class": (100, SPLIT),
    "cifar10.limit_per_class": (1000, SPLIT),
    "mnist.seen_digits": ([0, 1, 2, 3], SPLIT),
    "mnist.unseen_digits": ([5, 6, 7, 8], SPLIT),
    "mnist.validation_per_class": (100, SPLIT),
    "mnist.limit_per_class": (1000, SPLIT),
    "convnet.convolution": ("plain", CONVNET),
    "convnet.resolution_schedule.ten_class": ([[32, 1]], TEN_CLASS),
    "convnet.resolution_schedule.six_class": ([[32, 1]], SIX_CLASS),
    "convnet.feature_norm_penalty.ten_class": (2.0, TEN_CLASS),
    "convnet.feature_norm_penalty.six_class": (2.0, SIX_CLASS),
    "convnet.dense_classification_loss.ten_class": (2.0, TEN_CLASS),
    "convnet.dense_classification_loss.six_class": (2.0, SIX_CLASS),
    "convnet.recipe.batch": (32, CONVNET),
    "convnet.recipe.frozen": (0, CONVNET),
    "convnet.recipe.bias_rate_multiple": (1.0, CONVNET),
    "convnet.recipe.optimizer": ("adam", CONVNET),
    "convnet.recipe.learning_rate": (0.0001, CONVNET),
    "convnet.recipe.schedule": ("constant", CONVNET),
    "convnet.recipe.warmup": (0.125, CONVNET),
    "convnet.recipe.l2_penalty": (0.0001, CONVNET),
    "convnet.recipe.label_smoothing": (0.01, CONVNET),
    "convnet.recipe.batch_norm": (False, CONVNET),
    "convnet.recipe.whitening_filters": (False, CONVNET),
    "convnet.recipe.dropout_maps": (0.25, CONVNET),
    "convnet.recipe.dropout_flatten": (0.5, CONVNET),
    "convnet.recipe.dropout_units": (0.5, CONVNET),
    "convnet.recipe.augmentation.rotation": (2.0, CONVNET),
    "convnet.recipe.augmentation.width_shift": (0.15, CONVNET),
    "convnet.recipe.augmentation.height_shift": (0.15, CONVNET),
    "convnet.recipe.augmentation.shear": (0.1, CONVNET),
    "convnet.recipe.augmentation.zoom": (0.1, CONVNET),
    "convnet.recipe.augmentation.flip": ("none", CONVNET),
    "convnet.recipe.augmentation.fill": ("nearest", CONVNET),
    "convnet.recipe.augmentation.interpolation": ("bilinear", CONVNET),
    "siamese.epochs": (11, SIAMESE),
    "siamese.images_per_epoch": (1000, SIAMESE),
    "siamese.batch": (64, SIAMESE),
    "siamese.learning_rate": (0.002, SIAMESE),
    "siamese.dropout": (0.2, SIAMESE),
    "siamese.shift": (0.0, SIAMESE),
    "siamese.evaluation_pairs": (1000, SIAMESE),
    "dense_embedding.epochs": (6, DENSE),
    "dense_embedding.batch": (64, DENSE),
    "dense_embedding.learning_rate": (0.002, DENSE),
    "one_shot.images_per_class": (600, ONE_SHOT_CIFAR10),
    "one_shot.draws": (50, ONE_SHOT_CIFAR10),
    "one_shot.shots": ([2], ONE_SHOT),
    "one_shot.methods": (["raw"], ONE_SHOT_CIFAR10),
    "one_shot.episodes": (50, ONE_SHOT),
    "one_shot.queries": (50, ONE_SHOT_CIFAR10),
    "one_shot.transductive_methods": (["cl2n"], ONE_SHOT_CIFAR10),
    "one_shot.transductive_episodes": (50, ONE_SHOT_CIFAR10),
    "pictures.images_per_class": (100, ONE_SHOT),
    "pictures.perplexity": (20.0, ONE_SHOT_CIFAR10),
}

# Package of src/oneshot: what would rerun after a change of it, in the same sense.
PACKAGES = {
    # what all stages share, and rarely changes
    "core": ALL,
    # the data
    "download": DOWNLOAD,
    "splits": SPLIT,
    "datasets": SPLIT,
    # all trainings
    "training": TRAINING,
    # the nets
    "convnet": CONVNET,
    "siamese": SIAMESE,
    "dense_embedding": DENSE,
    # the table of the nets, which the training of the ConvNets does not read
    "nets": (CONVNET - {"train_convnet@10-class", "train_convnet@6-class"}) | SIAMESE | DENSE,
    "encoders": EXPORTS,
    # the evaluations, which train nothing
    "evaluation": ONE_SHOT | EXPORTS,
    # what shows the results
    "plotting": PICTURES,
    "page": PAGE,
    # what uses the trained nets outside the pipeline
    "use": set(),
}

# Module that dvc.yaml names in addition to or instead of its package: what would rerun after a change of it.
MODULES = {
    "datasets/cifar10.py": SPLIT,
    "datasets/mnist.py": SPLIT,
    "splits/params.py": SPLIT,
    "convnet/params.py": CONVNET,
    "siamese/params.py": SIAMESE,
    "dense_embedding/params.py": DENSE,
    "plotting/palette.py": PICTURES | PAGE,
    "nets/architecture.py": CONVNET | SIAMESE | DENSE,
    "nets/table.py": PACKAGES["nets"],
}

# The stages that share a script whose name is not theirs.
EXPORTERS = {"export_convnet", "export_digit_net"}
# The same modules: the stages that read the module itself, without those that depend on their outputs.
READERS = {
    "datasets/cifar10.py": {"split", "train_convnet", "extract_features", "one_shot_cifar10", "page"} | EXPORTERS,
    "datasets/mnist.py": {"split", "train_siamese", "train_dense_embedding", "one_shot_mnist", "page"} | EXPORTERS,
    "splits/params.py": {"split", "one_shot_cifar10", "one_shot_mnist", "page"} | EXPORTERS,
    "convnet/params.py": {"train_convnet", "extract_features", "page"},
    "siamese/params.py": {"train_siamese", "page"},
    "dense_embedding/params.py": {"train_dense_embedding", "page"},
    "plotting/palette.py": {"draw_pictures", "page"},
    "nets/architecture.py": {"train_convnet", "extract_features", "train_siamese", "train_dense_embedding", "page"}
    | EXPORTERS,
    "nets/table.py": {"extract_features", "train_siamese", "train_dense_embedding", "one_shot_mnist", "page"}
    | EXPORTERS,
}


@functools.cache
def parsed(text: str) -> dict:
    return parse_yaml(text, "params.yaml")


@pytest.fixture(scope="module", autouse=True)
def parsed_once() -> Iterator[None]:
    """DVC reads params.yaml once per content: it does so for each of 25 stages, which takes most of the time here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(param, "load_path", lambda path, fs, **_: parsed(Path(path).read_text()))
        yield


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
    with contextlib.chdir(root), Repo() as repo:
        repo.commit(force=True)
    return root


@pytest.fixture(scope="module")
def repo(recorded: Path) -> Iterator[Repo]:
    """DVC's view of it, loaded once: DVC takes longer to load it than to find what changed."""
    with Repo(str(recorded)) as repo:
        yield repo


@pytest.fixture
def project(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The recorded project as the working directory; what a test changed is put back."""
    root = Path(repo.root_dir)
    monkeypatch.chdir(root)
    yield root
    smoke.git(root, "checkout", "--quiet", ".")


def touch(path: Path) -> None:
    with path.open("a") as file:
        file.write("# touched\n")


def changed(repo: Repo) -> set[PipelineStage]:
    """The stages whose code or parameters DVC finds changed."""
    with repo.lock:
        return {stage for stage in repo.index.stages if stage.changed()}


def would_run(repo: Repo) -> set[str]:
    """What `dvc repro` would run if each stage that runs also changes its outputs."""
    graph = repo.index.graph  # its edges go from a stage to its dependencies
    stages = changed(repo)
    return {stage.name for stage in stages.union(*(networkx.ancestors(graph, stage) for stage in stages))}


def test_nothing_reruns_without_a_change(repo: Repo, project: Path):
    assert would_run(repo) == set()


def test_every_leaf_is_in_the_table():
    assert set(params._keys(params.read(smoke.ROOT))) == PARAMETERS.keys()


@pytest.mark.parametrize("leaf", PARAMETERS)
def test_a_parameter_reruns_what_depends_on_it(repo: Repo, project: Path, leaf: str):
    value, stages = PARAMETERS[leaf]
    smoke.shrink(project, {leaf: value})
    assert would_run(repo) == stages | CHECK


def test_every_package_and_every_named_module_is_in_the_tables(repo: Repo):
    library = smoke.ROOT / "src/oneshot"
    assert {path.parent.name for path in library.glob("*/__init__.py")} == PACKAGES.keys()
    named = {dep.def_path for stage in repo.index.stages for dep in stage.deps if dep.def_path.endswith(".py")}
    modules = {path.removeprefix("src/oneshot/") for path in named if path.startswith("src/oneshot/")}
    assert modules == MODULES.keys() == READERS.keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_reruns_what_imports_it(repo: Repo, project: Path, package: str):
    touch(project / f"src/oneshot/{package}/__init__.py")
    assert would_run(repo) == PACKAGES[package]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_reruns_what_imports_it(repo: Repo, project: Path, module: str):
    touch(project / f"src/oneshot/{module}")
    assert {stage.name.split("@")[0] for stage in changed(repo)} == READERS[module]
    assert would_run(repo) == MODULES[module]


@pytest.mark.parametrize("script", [path.name for path in sorted((smoke.ROOT / "stages").glob("*.py"))])
def test_a_script_reruns_its_own_stages(repo: Repo, project: Path, script: str):
    touch(project / f"stages/{script}")
    own = EXPORTERS if script == "export_encoder.py" else {script.removesuffix(".py")}
    assert {stage.name.split("@")[0] for stage in changed(repo)} == own


@pytest.mark.parametrize(
    "name",
    [
        *(f"src/oneshot/page/page.{kind}" for kind in ("css", "html", "js")),
        "docs/studies.json",
    ],
)
def test_wording_colour_and_tables_rerun_the_page_alone(repo: Repo, project: Path, name: str):
    with (project / name).open("a") as file:
        file.write("\n")
    assert would_run(repo) == PAGE


@pytest.mark.parametrize("name", ["README.md", "Makefile", "tools/smoke.py", "tests/pipeline/conftest.py"])
def test_what_no_stage_uses_reruns_nothing(repo: Repo, project: Path, name: str):
    touch(project / name)
    assert would_run(repo) == set()


def test_what_python_leaves_in_a_package_reruns_nothing(repo: Repo, project: Path):
    """Packages are dependencies as folders: .dvcignore keeps __pycache__ out of their hashes."""
    compiled = project / "src/oneshot/core/__pycache__/files.cpython-311.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")
    try:
        assert would_run(repo) == set()
    finally:
        shutil.rmtree(compiled.parent)


@pytest.mark.parametrize("folder", ["data/splits/mnist", "features/6-class", "metrics", "plots/one_shot_cifar10"])
def test_what_a_killed_write_leaves_reruns_nothing(repo: Repo, project: Path, folder: str):
    """A file beside the one that was to be replaced, see core/files.py."""
    left = project / folder / ".result.json.ab12cd34"
    seen = ("status", "--porcelain", "--untracked-files=all")
    before = smoke.git(project, *seen)
    left.write_bytes(b"half")
    try:
        assert would_run(repo) == set()
        assert smoke.git(project, *seen) == before
    finally:
        left.unlink()


def test_dvc_repro_says_the_same(project: Path):
    """The command itself, for the line that the README gives: `dvc exp run -S margin=2`."""
    smoke.shrink(project, {"margin": 2.0})
    with Repo() as repo:
        assert {stage.name for stage in repo.reproduce(dry=True, force_downstream=True)} == SIAMESE | CHECK
