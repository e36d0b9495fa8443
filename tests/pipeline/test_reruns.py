"""Which stages DVC would rerun for a change of each parameter and of each module, against tables written by hand.

The stages' outputs are placeholders here, recorded by `dvc commit`: what reruns depends on declarations alone.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest
from dvc.repo import Repo
from dvc.stage import PipelineStage

from oneshot import params
from tools import smoke

pytestmark = pytest.mark.pipeline

# The page shows all results and all parameters but where the data is downloaded from.
PAGE = {"report"}
ONE_SHOT_CIFAR10 = {"one_shot_cifar10"} | PAGE
ONE_SHOT_SIAMESE = {"one_shot_mnist@siamese-2d", "one_shot_mnist@siamese-3d"} | PAGE
ONE_SHOT_DENSE = {"one_shot_mnist@dense-all", "one_shot_mnist@dense-seen"} | PAGE
ONE_SHOT = ONE_SHOT_CIFAR10 | ONE_SHOT_SIAMESE | ONE_SHOT_DENSE
FEATURES = {"extract_features"} | ONE_SHOT_CIFAR10
CONVNET = {"train_convnet@10-class", "train_convnet@6-class"} | FEATURES
SIAMESE = {"train_siamese@2", "train_siamese@3"} | ONE_SHOT_SIAMESE
DENSE = {"train_dense_embedding@all", "train_dense_embedding@seen"} | ONE_SHOT_DENSE
TRAINING = CONVNET | SIAMESE | DENSE
SPLIT = {"split"} | TRAINING
ALL = {"download@cifar10", "download@mnist"} | SPLIT

# Leaf of params.yaml: another value, and what would rerun, stages further down included, if every stage that runs
# changed all its outputs. What did not change goes no further: test_smoke.py shows it for the two halves of a split.
PARAMETERS = {
    "seed": (2, SPLIT),
    "margin": (2.0, SIAMESE),
    "download.sources": (["npm"], ALL),
    "download.folder": ("elsewhere", ALL),
    "cifar10.base_classes": ([0, 1, 2, 3, 4], SPLIT),
    "cifar10.novel_classes": ([6, 7, 8], SPLIT),
    "cifar10.validation_per_class": (100, SPLIT),
    "cifar10.limit_per_class": (1000, SPLIT),
    "mnist.seen_digits": ([0, 1, 2, 3], SPLIT),
    "mnist.unseen_digits": ([5, 6, 7, 8], SPLIT),
    "mnist.validation_per_class": (100, SPLIT),
    "mnist.limit_per_class": (1000, SPLIT),
    "convnet.epochs.ten_class": ([[32, 1]], {"train_convnet@10-class"} | PAGE),
    "convnet.epochs.six_class": ([[32, 1]], {"train_convnet@6-class"} | FEATURES),
    "convnet.batch": (32, CONVNET),
    "convnet.optimizer": ("adam", CONVNET),
    "convnet.learning_rate": (0.0001, CONVNET),
    "convnet.muon_factor": (1.5, CONVNET),
    "convnet.schedule": ("constant", CONVNET),
    "convnet.warmup": (0.125, CONVNET),
    "convnet.weight_penalty": (0.0001, CONVNET),
    "convnet.label_smoothing": (0.01, CONVNET),
    "convnet.whitening": (False, CONVNET),
    "convnet.batch_norm": (False, CONVNET),
    "convnet.dropout_maps": (0.25, CONVNET),
    "convnet.dropout_units": (0.5, CONVNET),
    "convnet.convolution": ("plain", CONVNET),
    "convnet.augmentation.rotation": (2.0, CONVNET),
    "convnet.augmentation.width_shift": (0.15, CONVNET),
    "convnet.augmentation.height_shift": (0.15, CONVNET),
    "convnet.augmentation.shear": (0.1, CONVNET),
    "convnet.augmentation.zoom": (0.1, CONVNET),
    "convnet.augmentation.flip": (False, CONVNET),
    "convnet.augmentation.fill": ("nearest", CONVNET),
    "convnet.augmentation.interpolation": ("bilinear", CONVNET),
    "siamese.epochs": (11, SIAMESE),
    "siamese.images_per_epoch": (1000, SIAMESE),
    "siamese.pairs": ("drawn", SIAMESE),
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
    "one_shot.episodes": (50, ONE_SHOT),
    "one_shot.shots": ([2], ONE_SHOT),
    "one_shot.ways": (3, ONE_SHOT_CIFAR10),
    "one_shot.methods": (["raw"], ONE_SHOT_CIFAR10),
    "one_shot.exponent": (0.25, ONE_SHOT_CIFAR10),
    "projection.images_per_class": (100, ONE_SHOT),
    "projection.perplexity": (20.0, ONE_SHOT_CIFAR10),
}

# Module of src/oneshot: what would rerun after a change of it, in the same sense.
MODULES = {
    # what all stages share, and nobody has a reason to touch
    "errors": ALL,
    "files": ALL,
    "params": ALL,
    "stage": ALL,
    # the data
    "decode": ALL,
    "sources": ALL,
    "splits": SPLIT,
    "seeds": SPLIT,
    "datasets": SPLIT,
    # all trainings
    "checkpoint": TRAINING,
    "device": TRAINING,
    "training": TRAINING,
    "curves": TRAINING,
    "augment": CONVNET | SIAMESE,
    # the ConvNets
    "convnet": CONVNET,
    "convnet_inference": CONVNET,
    "convnet_params": CONVNET,
    "convnet_training": CONVNET,
    "muon": CONVNET,
    "whitening": CONVNET,
    "winograd": CONVNET,
    # the digit nets
    "digits": SIAMESE | DENSE,
    "siamese": SIAMESE,
    "siamese_params": SIAMESE,
    "dense_embedding": DENSE,
    "dense_embedding_params": DENSE,
    # the evaluations and their pictures, which train nothing
    "confusion": ONE_SHOT,
    "episode_params": ONE_SHOT,
    "episodes": ONE_SHOT,
    "palette": ONE_SHOT,
    "plotting": ONE_SHOT,
    "one_shot_cifar10_params": ONE_SHOT_CIFAR10,
    "projections": ONE_SHOT_CIFAR10,
    "representations": ONE_SHOT_CIFAR10,
    # the page
    "report/charts": PAGE,
    "report/contents": PAGE,
    "report/nearest": PAGE,
    "report/nets": PAGE,
    "report/page": PAGE,
    "report/reported": PAGE,
    "report/sheets": PAGE,
}


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
    """DVC's view of it, loaded once: loading takes DVC longer than looking what changed."""
    with Repo(str(recorded)) as repo:
        yield repo


@pytest.fixture
def project(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The recorded project as the working directory; what a test changed is put back."""
    root = Path(repo.root_dir)
    monkeypatch.chdir(root)
    yield root
    smoke.git(root, "checkout", "--quiet", ".")


def changed(repo: Repo) -> set[PipelineStage]:
    """The stages whose code or parameters DVC finds changed."""
    with repo.lock:
        return {stage for stage in repo.index.stages if stage.changed()}


def would_run(repo: Repo) -> set[str]:
    """What `dvc repro` would run if each stage that runs also changes its outputs."""
    graph = repo.index.graph  # its edges go from a stage to what it depends on
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
    assert would_run(repo) == stages


def test_every_module_is_in_the_table():
    library = smoke.ROOT / "src/oneshot"
    modules = {path.relative_to(library).with_suffix("").as_posix() for path in library.rglob("*.py")}
    assert {module for module in modules if Path(module).name != "__init__"} == MODULES.keys()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_reruns_what_imports_it(repo: Repo, project: Path, module: str):
    with (project / f"src/oneshot/{module}.py").open("a") as file:
        file.write("# touched\n")
    assert would_run(repo) == MODULES[module]


@pytest.mark.parametrize("script", [path.name for path in sorted((smoke.ROOT / "stages").glob("*.py"))])
def test_a_script_reruns_its_own_stages(repo: Repo, project: Path, script: str):
    with (project / f"stages/{script}").open("a") as file:
        file.write("# touched\n")
    assert {stage.name.split("@")[0] for stage in changed(repo)} == {script.removesuffix(".py")}


@pytest.mark.parametrize(
    "name", ["page.css", "page.html", "page.js", "docs/minutes.csv", "docs/seeds.csv", "docs/sweep.csv"]
)
def test_wording_colour_and_tables_rerun_the_page_alone(repo: Repo, project: Path, name: str):
    with (project / (name if "/" in name else f"src/oneshot/report/{name}")).open("a") as file:
        file.write("\n")
    assert would_run(repo) == PAGE


@pytest.mark.parametrize("name", ["README.md", "Makefile", "tools/smoke.py", "tests/pipeline/conftest.py"])
def test_what_no_stage_uses_reruns_nothing(repo: Repo, project: Path, name: str):
    with (project / name).open("a") as file:
        file.write("\n")
    assert would_run(repo) == set()


def test_dvc_repro_says_the_same(project: Path):
    """The command itself, for the line that the README gives: `dvc exp run -S margin=2`."""
    smoke.shrink(project, {"margin": 2.0})
    with Repo() as repo:
        assert {stage.name for stage in repo.reproduce(dry=True, force_downstream=True)} == SIAMESE
