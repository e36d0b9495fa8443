"""The recipe for one's own classes: a pipeline that works, with experiments, and that the main one does not notice."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oneshot.use import recipe
from tests.pipeline.scratch import attempt, dvc, ran
from tools import check_stored, smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]


def test_the_recipe_measures_compares_and_leaves_the_main_pipeline_alone(branch: Path, monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(0)
    monkeypatch.chdir(branch)
    recipe.write("own")
    for name, size in (("dot", 6), ("bar", 30)):
        (branch / f"own/images/{name}").mkdir(parents=True)
        for number in range(3):
            image = np.full((40, 40), 250 - 5 * number, np.uint8)
            image[5 : 5 + size, 10 + int(random.integers(9)) :][:, :6] = 0
            Image.fromarray(image).save(branch / f"own/images/{name}/{number}.png")
    smoke.shrink(branch / "own", {"encoder": "siamese-2d", "method": "raw", "episodes": 20})
    dvc(branch, "add", "own/images")
    assert ran(dvc(branch, "repro", "own/dvc.yaml")) == ["own/dvc.yaml:encoder", "own/dvc.yaml:evaluate"]
    first = json.loads((branch / "own/metrics.json").read_text())
    assert first["classes"] == 2 and first["images"] == 6 and 0 <= first["shot_2"]["accuracy"] <= 1
    assert "Data and pipelines are up to date" in dvc(branch, "repro")
    smoke.commit(branch, "my classes")
    assert not [fault for fault in check_stored.find_faults(branch) if "evaluate" in fault or "own" in fault]

    assert ran(dvc(branch, "exp", "run", "own/dvc.yaml", "-S", "own/params.yaml:episodes=30")) == [
        "own/dvc.yaml:encoder",  # looked at each time
        "own/dvc.yaml:evaluate",
    ]
    assert "own/params.yaml" in json.loads(dvc(branch, "params", "diff", "--json"))
    assert "own/" not in (branch / "dvc.lock").read_text()
    assert ran(dvc(branch, "repro", "own/dvc.yaml")) == ["own/dvc.yaml:encoder"]


def test_a_missing_encoder_is_one_sentence_and_starts_no_training(branch: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(branch)
    recipe.write("own")
    (branch / "own/images/a").mkdir(parents=True)
    (branch / "exports/6-class.onnx").unlink()
    smoke.shrink(branch / "own", {"encoder": "6-class"})
    before = smoke.git(branch, "status", "--porcelain")
    done = attempt(branch, "repro", "own/dvc.yaml")
    assert done.returncode != 0 and "error: the encoder 6-class, for photographs, is not here" in done.stderr
    assert "train_convnet" not in done.stdout + done.stderr
    assert smoke.git(branch, "status", "--porcelain") == before
