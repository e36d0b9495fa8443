"""Splits: balanced, disjoint and sorted; the choice for a class depends only on that class and the seed."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from oneshot.core import stage
from oneshot.core.errors import UserError
from oneshot.splits.params import Cifar10Params, MnistParams
from oneshot.splits.split import all_of_classes, split_cifar10, split_classes, split_mnist

ROOT = Path(__file__).parents[2]
TRAINING = 60 * 10  # of the small data set below: 60 training and 20 test images of each class
CIFAR10 = {
    "seen_classes": [0, 1, 2, 3, 4, 5],
    "unseen_classes": [6, 7, 8, 9],
    "validation_per_class": 7,
    "limit_per_class": None,
}
MNIST = {
    "seen_digits": [0, 1, 2, 3, 4],
    "unseen_digits": [5, 6, 7, 8, 9],
    "validation_per_class": 7,
    "limit_per_class": None,
}


def some_labels(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    parts = [random.permutation(np.repeat(np.arange(10, dtype=np.uint8), size)) for size in (60, 20)]
    return np.concatenate(parts)


def counts(labels: np.ndarray, indices: np.ndarray) -> list[int]:
    return np.bincount(labels[indices], minlength=10).tolist()


@pytest.fixture(scope="module")
def labels():
    return some_labels()


def test_each_part_of_cifar10_holds_its_classes(labels):
    tasks = split_cifar10(labels, TRAINING, Cifar10Params(**CIFAR10), seed=1)
    ten, six = tasks["10-class"], tasks["6-class"]
    assert list(ten) == ["train", "validation", "test"]
    assert counts(labels, ten["train"]) == [53] * 10
    assert counts(labels, ten["validation"]) == [7] * 10
    assert counts(labels, ten["test"]) == [20] * 10
    assert list(six) == ["train", "validation", "test", "unseen"]
    assert counts(labels, six["train"]) == [53] * 6 + [0] * 4
    assert counts(labels, six["validation"]) == [7] * 6 + [0] * 4
    assert counts(labels, six["test"]) == [20] * 6 + [0] * 4
    assert counts(labels, six["unseen"]) == [0] * 6 + [80] * 4
    for part in ("train", "validation", "test"):
        seen = labels[ten[part]] < 6
        assert np.array_equal(ten[part][seen], six[part])  # both nets see the same images of a class


def test_each_part_of_mnist_holds_its_digits(labels):
    parts = split_mnist(labels, TRAINING, MnistParams(**MNIST), seed=1)["mnist"]
    assert list(parts) == [
        f"{group}_{part}" for group in ("seen", "unseen") for part in ("train", "validation", "test")
    ]
    for part, count in {"train": 53, "validation": 7, "test": 20}.items():
        assert counts(labels, parts[f"seen_{part}"]) == [count] * 5 + [0] * 5
        assert counts(labels, parts[f"unseen_{part}"]) == [0] * 5 + [count] * 5
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(800))


def test_limit_takes_part_of_each_official_part(labels):
    params = Cifar10Params(**CIFAR10 | {"limit_per_class": 30})
    six = split_cifar10(labels, TRAINING, params, seed=1)["6-class"]
    assert counts(labels, six["train"]) == [23] * 6 + [0] * 4
    assert counts(labels, six["validation"]) == [7] * 6 + [0] * 4
    assert counts(labels, six["test"]) == [20] * 6 + [0] * 4
    assert counts(labels, six["unseen"]) == [0] * 6 + [50] * 4
    whole = split_cifar10(labels, TRAINING, Cifar10Params(**CIFAR10), seed=1)["6-class"]
    assert np.array_equal(six["validation"], whole["validation"])
    for part in ("train", "unseen"):
        assert set(six[part]) < set(whole[part])


many = settings(deadline=None, max_examples=60)
classes_of = st.lists(st.integers(0, 9), min_size=1, max_size=10, unique=True)


@many
@given(
    classes=classes_of,
    validation=st.integers(1, 20),
    limit=st.none() | st.integers(21, 60),
    seed=st.integers(0, 2**40),
    order=st.integers(0, 3),
)
def test_parts_are_disjoint_sorted_balanced_and_cover_their_classes(classes, validation, limit, seed, order):
    labels = some_labels(order)
    parts = split_classes(labels, TRAINING, classes, validation, limit, seed)
    taken = np.concatenate(list(parts.values()))
    assert len(np.unique(taken)) == len(taken)  # disjoint
    assert parts["train"].max() < TRAINING and parts["validation"].max() < TRAINING <= parts["test"].min()
    for indices in parts.values():
        assert indices.dtype == np.int64
        assert np.array_equal(indices, np.sort(indices))
    expected = {"validation": validation, "train": (limit or 60) - validation, "test": min(limit or 20, 20)}
    for part, count in expected.items():  # balanced
        assert counts(labels, parts[part]) == [count * (label in classes) for label in range(10)]
    if limit is None:  # covering
        assert np.array_equal(np.sort(taken), np.flatnonzero(np.isin(labels, classes)))
    again = split_classes(labels, TRAINING, classes, validation, limit, seed)
    assert all(np.array_equal(parts[part], again[part]) for part in parts)


@many
@given(classes=classes_of, more=classes_of, limit=st.none() | st.integers(8, 60), seed=st.integers(0, 2**40))
def test_choice_of_one_class_is_independent_of_the_others(classes, more, limit, seed):
    labels = some_labels()
    alone = split_classes(labels, TRAINING, classes, 7, limit, seed)
    shared = [label for label in more if label in classes]
    together = split_classes(labels, TRAINING, more, 7, limit, seed)
    for part, indices in alone.items():
        chosen = np.isin(labels[indices], shared)
        chosen_together = np.isin(labels[together[part]], shared)
        assert np.array_equal(indices[chosen], together[part][chosen_together])


@many
@given(classes=classes_of, limit=st.none() | st.integers(1, 60), seed=st.integers(0, 2**40))
def test_all_images_of_some_classes_are_taken_from_both_official_parts(classes, limit, seed):
    labels = some_labels()
    indices = all_of_classes(labels, TRAINING, classes, limit, seed)
    assert np.array_equal(indices, np.unique(indices))
    assert indices.dtype == np.int64
    expected = min(limit or 60, 60) + min(limit or 20, 20)
    assert counts(labels, indices) == [expected * (label in classes) for label in range(10)]


def test_seed_changes_the_choice_but_not_the_counts(labels):
    one, two = (split_classes(labels, TRAINING, range(10), 7, None, seed) for seed in (1, 2))
    assert not np.array_equal(one["validation"], two["validation"])
    assert counts(labels, one["validation"]) == counts(labels, two["validation"])


def test_a_class_with_too_few_images_is_named_with_what_to_do():
    labels = np.delete(some_labels(), np.flatnonzero(some_labels() == 3)[:50])  # leaves ten training images of class 3
    with pytest.raises(UserError, match=r"cifar10\.limit_per_class is 30, but class 3 has only 10 training images"):
        split_cifar10(labels, TRAINING - 50, Cifar10Params(**CIFAR10 | {"limit_per_class": 30}), seed=1)
    with pytest.raises(UserError, match=r"mnist\.validation_per_class is 10, but class 3 has only 10 training images"):
        split_mnist(labels, TRAINING - 50, MnistParams(**MNIST | {"validation_per_class": 10}), seed=1)
    split_mnist(labels, TRAINING - 50, MnistParams(**MNIST | {"validation_per_class": 9}), seed=1)


def write_raw_data(folder: Path, random: np.random.Generator) -> None:
    """Write black images with as many labels of each class as CIFAR-10 has."""
    cifar10, mnist = folder / "cifar10", folder / "mnist"
    cifar10.mkdir(parents=True)
    mnist.mkdir()
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        records = np.zeros((10_000, 3073), np.uint8)
        records[:, 0] = random.permutation(np.arange(10_000) % 10)
        (cifar10 / f"{name}.bin").write_bytes(records.tobytes())
    for part, count in {"train": 60_000, "t10k": 10_000}.items():
        size = count.to_bytes(4, "big")
        images = b"\0\0\x08\x03" + size + b"\0\0\0\x1c\0\0\0\x1c" + bytes(count * 784)
        (mnist / f"{part}-images-idx3-ubyte").write_bytes(images)
        labels = (
            b"\0\0\x08\x01" + size + random.permutation(np.arange(count, dtype=np.uint32) % 10).astype("u1").tobytes()
        )
        (mnist / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def test_the_stage_writes_the_parts_and_their_counts(tmp_path, monkeypatch):
    (tmp_path / "stages").mkdir()
    shutil.copy(ROOT / "stages" / "split.py", tmp_path / "stages")
    groups = {"seed": 1, "cifar10": CIFAR10 | {"validation_per_class": 200}, "mnist": MNIST | {"limit_per_class": 100}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(groups))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stages/split.py"])
    monkeypatch.setattr(stage.environment, "enter", lambda compute: None)  # would replace this process
    with pytest.raises(SystemExit, match=r"^error: data/raw/cifar10/data_batch_1\.bin is missing: run dvc repro"):
        runpy.run_path("stages/split.py", run_name="__main__")
    write_raw_data(tmp_path / "data" / "raw", np.random.default_rng(0))
    runpy.run_path("stages/split.py", run_name="__main__")
    stored = json.loads(Path("metrics/split.json").read_text())
    assert stored["10-class"] == {"train": 48_000, "test": 10_000}
    assert stored["6-class"] == {"train": 28_800, "test": 6_000, "unseen": 24_000}
    assert stored["mnist"] == {
        f"{group}_{part}": count for group in ("seen", "unseen") for part, count in {"train": 465, "test": 500}.items()
    }
    stored["10-class"]["validation"], stored["6-class"]["validation"] = 2_000, 1_200
    stored["mnist"] |= {"seen_validation": 35, "unseen_validation": 35}
    for task, parts in stored.items():
        for part, count in parts.items():
            indices = np.load(f"data/splits/{task}/{part}.npy")
            assert indices.dtype == np.int64
            assert indices.shape == (count,)
