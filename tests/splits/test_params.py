"""The splits' parameters: what cannot be split is refused in a sentence that names the key."""

import pytest

from oneshot.core.errors import UserError
from oneshot.core.params import Schema, validate
from oneshot.splits.params import Cifar10Params, DigitParams, MnistParams, UnseenClassParams

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


class Cifar10Stage(Schema):
    cifar10: Cifar10Params


class MnistStage(Schema):
    mnist: MnistParams


class OneShotStage(Schema):
    cifar10: UnseenClassParams
    mnist: DigitParams


def test_the_usual_parameters_are_valid():
    tree = {"cifar10": CIFAR10, "mnist": MNIST}
    assert validate(tree, Cifar10Stage).cifar10.model_dump() == CIFAR10
    assert validate(tree, MnistStage).mnist.model_dump() == MNIST
    assert validate(tree, OneShotStage).cifar10.unseen_classes == [6, 7, 8, 9]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "unseen_classes",
            [5, 6],
            r"cifar10\.unseen_classes: must share no class with cifar10\.seen_classes, which has 5 too",
        ),
        ("seen_classes", [0, 10], r"cifar10\.seen_classes\.1: should be less than or equal to 9, but is 10"),
        ("seen_classes", [-1, 0], r"cifar10\.seen_classes\.0: should be greater than or equal to 0, but is -1"),
        ("seen_classes", [1, 2, 1], r"cifar10\.seen_classes: must not name a class twice, but is \[1, 2, 1\]"),
        ("seen_classes", [], r"cifar10\.seen_classes: List should have at least 2 items"),
        ("seen_classes", [1], r"cifar10\.seen_classes: List should have at least 2 items"),
        ("seen_classes", ["0", 1], r"cifar10\.seen_classes\.0: should be a valid integer, but is '0'"),
        ("seen_classes", 3, r"cifar10\.seen_classes: should be a valid list, but is 3"),
        ("unseen_classes", [6, 6], r"cifar10\.unseen_classes: must not name a class twice"),
        ("validation_per_class", 0, r"cifar10\.validation_per_class: should be greater than or equal to 1, but is 0"),
        ("validation_per_class", 4999, r"cifar10\.validation_per_class: should be less than or equal to 4998"),
        ("limit_per_class", 5001, r"cifar10\.limit_per_class: should be less than or equal to 5000, but is 5001"),
        (
            "limit_per_class",
            8,
            r"cifar10\.limit_per_class: must be at least 9: cifar10\.validation_per_class is 7, and training needs 2",
        ),
        ("limit_per_class", -1, r"cifar10\.limit_per_class: must be at least 9: .*, but is -1"),
        ("limit_per_class", True, r"cifar10\.limit_per_class: should be a valid integer"),
    ],
)
def test_bad_cifar10_parameters_are_refused(key, value, message):
    with pytest.raises(UserError, match=f"^params.yaml: {message}"):
        validate({"cifar10": CIFAR10 | {key: value}}, Cifar10Stage)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "unseen_digits",
            [3, 4, 5],
            r"mnist\.unseen_digits: must share no class with mnist\.seen_digits, which has 3, 4 too",
        ),
        ("limit_per_class", 5422, r"mnist\.limit_per_class: should be less than or equal to 5421"),
        ("validation_per_class", 5421, r"mnist\.validation_per_class: should be less than 5421"),
        ("limit_per_class", 3, r"mnist\.limit_per_class: must be at least 8: mnist\.validation_per_class is 7"),
    ],
)
def test_bad_mnist_parameters_are_refused(key, value, message):
    with pytest.raises(UserError, match=f"^params.yaml: {message}"):
        validate({"mnist": MNIST | {key: value}}, MnistStage)


@pytest.mark.parametrize(
    ("group", "key", "value", "message"),
    [
        ("cifar10", "unseen_classes", [6], r"cifar10\.unseen_classes: List should have at least 2 items"),
        ("cifar10", "unseen_classes", [6, 10], r"cifar10\.unseen_classes\.1: should be less than or equal to 9"),
        ("mnist", "seen_digits", [1, 1], r"mnist\.seen_digits: must not name a class twice"),
        ("mnist", "unseen_digits", "all", r"mnist\.unseen_digits: should be a valid list"),
    ],
)
def test_bad_classes_of_an_evaluation_are_refused(group, key, value, message):
    tree = {"cifar10": CIFAR10, "mnist": MNIST}
    with pytest.raises(UserError, match=f"^params.yaml: {message}"):
        validate(tree | {group: tree[group] | {key: value}}, OneShotStage)
