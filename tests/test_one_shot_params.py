import importlib.util
from pathlib import Path

import numpy as np
import pytest

from oneshot.errors import UserError
from oneshot.files import write_arrays
from oneshot.params import validate

STAGES = Path(__file__).parents[1] / "stages"
TREE = {
    "seed": 1,
    "cifar10": {"novel_classes": [6, 7, 8, 9]},
    "mnist": {"seen_digits": [0, 1, 2, 3, 4], "unseen_digits": [5, 6, 7, 8, 9]},
    "one_shot": {
        "images_per_class": 700,
        "draws": 100,
        "episodes": 10000,
        "shots": [1, 5],
        "ways": None,
        "methods": ["raw", "unit"],
        "exponent": 0.5,
    },
    "projection": {"images_per_class": 250, "perplexity": 30},
}


def stage(name):
    spec = importlib.util.spec_from_file_location(name, STAGES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def changed(key, value):
    group, leaf = key.split(".")
    return TREE | {group: TREE[group] | {leaf: value}}


@pytest.mark.parametrize("name", ["one_shot_cifar10", "one_shot_mnist"])
def test_the_usual_parameters_are_valid(name):
    validate(TREE, stage(name).Params)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("one_shot.methods", ["raw", "cosine"], "should name only raw, unit"),
        ("one_shot.methods", ["unit"], "should include raw"),
        ("one_shot.methods", ["raw", "raw"], "each method once"),
        ("one_shot.shots", [], "at least 1 item"),
        ("one_shot.shots", [1, 1], "each number of shots once"),
        ("one_shot.shots", [0], "greater than or equal to 1"),
        ("one_shot.ways", 1, "greater than or equal to 2"),
        ("one_shot.draws", 1, "greater than or equal to 2"),
        ("one_shot.exponent", 0, "greater than 0"),
        ("projection.perplexity", 0, "greater than or equal to 1"),
        ("cifar10.novel_classes", [6, 10], "less than or equal to 9"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_rule(key, value, told):
    with pytest.raises(UserError, match=told) as error:
        validate(changed(key, value), stage("one_shot_cifar10").Params)
    assert key in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        (
            "one_shot.images_per_class",
            13,
            "class 6 has 12 images, .*one_shot.images_per_class .*cifar10.limit_per_class",
        ),
        ("one_shot.shots", [12], "class 6 has 12 images, .*one_shot.shots .*cifar10.limit_per_class"),
        ("projection.images_per_class", 13, "projection.images_per_class .*cifar10.limit_per_class"),
        ("projection.perplexity", 40, "projection.perplexity .*projection.images_per_class"),
        ("one_shot.ways", 5, "one_shot.ways .*cifar10.novel_classes"),
    ],
)
def test_a_small_run_is_told_which_parameters_do_not_fit(key, value, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = np.repeat(np.arange(10), 12)
    features = np.zeros((120, 4), np.float32)
    write_arrays("features/6-class", {"embeddings": features, "mirrored": features, "labels": labels})
    tree = changed("one_shot.images_per_class", 12)
    tree["one_shot"]["shots"] = [1]
    tree["projection"] = {"images_per_class": 10, "perplexity": 5}
    group, leaf = key.split(".")
    tree[group] = tree[group] | {leaf: value}
    module = stage("one_shot_cifar10")
    monkeypatch.setattr(module, "load", lambda schema: validate(tree, schema))
    with pytest.raises(UserError, match=told):
        module.main()
    assert not Path("metrics").exists()
