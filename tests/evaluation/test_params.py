"""The evaluations' parameters: values that cannot be used, or that need more data than there is, are refused."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oneshot.core.errors import UserError
from oneshot.core.files import read_arrays, read_json, write_arrays
from oneshot.core.params import validate
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import choose_images, classify_episodes, draw_episodes
from oneshot.evaluation.transforms import transform_features

STAGES = Path(__file__).parents[2] / "stages"
TREE = {
    "compute": {"threads": 2, "instructions": "portable", "precision": "float32"},
    "seed": 1,
    "cifar10": {"unseen_classes": [6, 7, 8, 9]},
    "mnist": {"seen_digits": [0, 1, 2, 3, 4], "unseen_digits": [5, 6, 7, 8, 9]},
    "one_shot": {
        "images_per_class": 700,
        "draws": 100,
        "episodes": 10000,
        "queries": 1000,
        "shots": [1, 5],
        "methods": ["raw", "unit"],
        "transductive_methods": ["cl2n"],
        "transductive_episodes": 500,
    },
    "pictures": {"images_per_class": 250, "perplexity": 30},
}


def stage(name):
    spec = importlib.util.spec_from_file_location(name, STAGES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def changed(key, value, tree=TREE):
    group, leaf = key.split(".")
    return tree | {group: tree[group] | {leaf: value}}


@pytest.mark.parametrize("name", ["one_shot_cifar10", "one_shot_mnist"])
def test_the_usual_parameters_are_valid(name):
    validate(TREE, stage(name).Params)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("one_shot.methods", ["raw", "cosine"], "should name only raw, unit"),
        ("one_shot.methods", ["unit"], "should include raw"),
        ("one_shot.methods", ["raw", "raw"], "each method once"),
        ("one_shot.methods", [], "at least 1 item"),
        ("one_shot.transductive_methods", ["unit", "raw"], "should name only unit, cl2n"),
        ("one_shot.methods", ["raw", "mirror_both_whitened"], "mirror_both_whitened is now flip_prerelu_gap_whitened"),
        ("one_shot.transductive_methods", ["unit", "unit"], "each method once"),
        ("one_shot.transductive_episodes", 1, "greater than or equal to 2"),
        ("one_shot.shots", [], "at least 1 item"),
        ("one_shot.shots", [1, 1], "each number of shots once"),
        ("one_shot.shots", [0], "greater than or equal to 1"),
        ("one_shot.draws", 1, "greater than or equal to 2"),
        ("one_shot.queries", 0, "greater than or equal to 1"),
        ("one_shot.episodes", 1, "greater than or equal to 2"),
        ("one_shot.episodes", 1_000_001, "less than or equal to 1000000"),
        ("one_shot.images_per_class", 1, "greater than or equal to 2"),
        ("pictures.perplexity", 0, "greater than or equal to 1"),
        ("pictures.images_per_class", 1, "greater than or equal to 2"),
        ("cifar10.unseen_classes", [6, 10], "less than or equal to 9"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_rule(key, value, rule):
    with pytest.raises(UserError, match=rule) as error:
        validate(changed(key, value), stage("one_shot_cifar10").Params)
    assert key in str(error.value)


def test_the_draws_of_all_numbers_of_shots_fit_into_memory_together():
    with pytest.raises(UserError, match=r"one_shot: episodes times the sum of all shots .* is 11,000,000"):
        validate(changed("one_shot.shots", [500, 600]), stage("one_shot_cifar10").Params)


SMALL = TREE | {
    "one_shot": TREE["one_shot"]
    | {"images_per_class": 12, "shots": [1], "draws": 2}
    | {"episodes": 2, "transductive_episodes": 2},
    "pictures": {"images_per_class": 10, "perplexity": 5},
}


@pytest.fixture
def features(tmp_path, monkeypatch):
    """Features of 12 images of each class, at the paths that the stages read."""
    monkeypatch.chdir(tmp_path)
    labels = np.repeat(np.arange(10), 12)
    embeddings = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    indices = np.arange(120)
    layers = dict.fromkeys(("linear", "linear_mirrored", "pooled", "pooled_mirrored"), embeddings)
    write_arrays("features/6-class", {**layers, "labels": labels})
    noise = np.random.default_rng(1).normal(size=(2, 120, 1)) * np.arange(10)
    maps, seen_maps = (np.eye(10)[labels] + noise).astype(np.float32)
    arrays = {"embeddings": embeddings[:, :2], "maps": maps, "labels": labels, "indices": indices}
    write_arrays("features/siamese-2d", arrays | {"seen_maps": seen_maps, "seen_labels": labels})


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "one_shot.images_per_class",
            13,
            "class 6 has 12 images, .*one_shot.images_per_class .*cifar10.limit_per_class",
        ),
        ("one_shot.shots", [12], "class 6 has 12 images, .*one_shot.shots .*cifar10.limit_per_class"),
        ("pictures.images_per_class", 13, "pictures.images_per_class .*cifar10.limit_per_class"),
        ("pictures.perplexity", 40, "pictures.perplexity .*pictures.images_per_class"),
    ],
)
def test_cifar10_parameters_that_a_small_run_cannot_meet_are_named(key, value, sentence, features):
    module = stage("one_shot_cifar10")
    with pytest.raises(UserError, match=sentence):
        module.main(validate(changed(key, value, SMALL), module.Params))
    assert not Path("metrics").exists()


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("one_shot.shots", [12], "class 0 has 12 images, .*one_shot.shots .*mnist.limit_per_class"),
        ("pictures.images_per_class", 13, "pictures.images_per_class .*mnist.limit_per_class"),
    ],
)
def test_mnist_parameters_that_a_small_run_cannot_meet_are_named(key, value, sentence, features):
    module = stage("one_shot_mnist")
    with pytest.raises(UserError, match=sentence):
        module.main(validate(changed(key, value, SMALL), module.Params), "siamese-2d")
    assert not Path("metrics").exists()


def test_representations_that_are_the_same_in_all_images_of_the_picture_are_refused(features):
    """scikit-learn's t-SNE would end in a segmentation fault."""
    arrays = read_arrays("features/6-class")
    unseen = np.flatnonzero(np.isin(arrays["labels"], [6, 7, 8, 9]))
    shown = unseen[choose_images(arrays["labels"][unseen], [6, 7, 8, 9], 10, 1, "pictures")]
    linear = arrays["linear"].copy()
    linear[shown] = 0
    write_arrays("features/6-class", arrays | {"linear": linear})
    module = stage("one_shot_cifar10")
    with pytest.raises(UserError, match="the representations by the 6-class net are all"):
        module.main(validate(SMALL, module.Params))
    assert not Path("metrics").exists()


def test_last_maps_that_are_the_same_in_all_images_are_refused(features):
    write_arrays("features/siamese-2d", {"maps": np.ones((120, 10), np.float32)})
    module = stage("one_shot_mnist")
    with pytest.raises(UserError, match="the representations by the siamese-2d net are all"):
        module.main(validate(SMALL, module.Params), "siamese-2d")


def test_a_small_run_that_fits_writes_its_tables(features):
    for name, arguments in {"one_shot_cifar10": [], "one_shot_mnist": ["siamese-2d"]}.items():
        module = stage(name)
        module.main(validate(SMALL, module.Params), *arguments)
    assert Path("metrics/one_shot_cifar10.json").is_file()
    unseen = read_json("metrics/one_shot_mnist/siamese-2d.json")["unseen"]["shot_1"]
    arrays = read_arrays("features/siamese-2d")
    maps, seen = ({"maps": arrays[name][None]} for name in ("maps", "seen_maps"))
    whitened = transform_features("maps_whitened", maps, seen, arrays["seen_labels"])
    labels, digits = arrays["labels"], [5, 6, 7, 8, 9]
    support = draw_episodes(labels, digits, episodes=2, shots=1, seed=1, purpose="unseen")
    found = accuracy(classify_episodes(whitened, labels, digits, support)).mean()
    assert unseen["maps_whitened"]["accuracy"] == pytest.approx(found, abs=1e-6)
    assert unseen["maps_whitened"]["accuracy"] > unseen["accuracy"], "the maps have the digits in them"
    table = pd.read_csv("plots/one_shot_mnist/siamese-2d/confusion.csv")
    for group, digits in {"unseen": [5, 6, 7, 8, 9], "all": range(10)}.items():
        support = draw_episodes(labels, digits, episodes=2, shots=1, seed=1, purpose=group)
        counts = classify_episodes(arrays["embeddings"], labels, digits, support).sum(0)
        assert table.query("part == @group")["count"].tolist() == counts.ravel().tolist()
