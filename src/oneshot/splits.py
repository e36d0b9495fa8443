"""Which images train, validate and test each task: index arrays by class, never copies of images."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from oneshot.errors import UserError
from oneshot.params import Schema
from oneshot.seeds import generator


def _distinct(classes: list[int]) -> list[int]:
    if len(set(classes)) < len(classes):
        raise ValueError("must not name a class twice")
    return classes


# Two at least: with one class there is nothing to tell apart.
Classes = Annotated[list[Annotated[int, Field(ge=0, le=9)]], Field(min_length=2), AfterValidator(_distinct)]


class Cifar10Params(Schema):
    """How CIFAR-10 is split; each class has 5,000 training images."""

    base_classes: Classes
    novel_classes: Classes
    validation_per_class: int = Field(ge=1, lt=5000)
    limit_per_class: Annotated[int, Field(le=5000)] | None

    @field_validator("novel_classes")
    @classmethod
    def _disjoint(cls, novel: list[int], info: ValidationInfo) -> list[int]:
        return _without(novel, info.data.get("base_classes", []), "cifar10.base_classes")

    @field_validator("limit_per_class")
    @classmethod
    def _leaves_training(cls, limit: int | None, info: ValidationInfo) -> int | None:
        return _above(limit, info.data.get("validation_per_class", 0), "cifar10.validation_per_class")


class MnistParams(Schema):
    """How MNIST is split; the rarest digit, 5, has 5,421 training images."""

    seen_digits: Classes
    unseen_digits: Classes
    validation_per_class: int = Field(ge=1, lt=5421)
    limit_per_class: Annotated[int, Field(le=5421)] | None

    @field_validator("unseen_digits")
    @classmethod
    def _disjoint(cls, unseen: list[int], info: ValidationInfo) -> list[int]:
        return _without(unseen, info.data.get("seen_digits", []), "mnist.seen_digits")

    @field_validator("limit_per_class")
    @classmethod
    def _leaves_training(cls, limit: int | None, info: ValidationInfo) -> int | None:
        return _above(limit, info.data.get("validation_per_class", 0), "mnist.validation_per_class")


def split_cifar10(
    labels: np.ndarray, training: int, params: Cifar10Params, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Split CIFAR-10 for the two ConvNets: {"10-class": {...}, "6-class": {...}} of sorted int64 indices into labels.

    labels: (n,) uint8, the first `training` of them of the official training part. Both tasks have train, validation
    and test, the latter over the base classes only and with `novel`: all images of the novel classes, of both parts.
    Raises UserError where a class has too few images.
    """
    seeded = {"validation": params.validation_per_class, "limit": params.limit_per_class, "seed": seed}
    _check_counts(labels[:training], range(10), params.validation_per_class, params.limit_per_class, "cifar10")
    return {
        "10-class": split_classes(labels, training, range(10), **seeded),
        "6-class": split_classes(labels, training, params.base_classes, **seeded)
        | {"novel": all_of_classes(labels, training, params.novel_classes, params.limit_per_class, seed)},
    }


def split_mnist(labels: np.ndarray, training: int, params: MnistParams, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Split MNIST for the digit nets: {"mnist": {"seen_train": ..., ...}} of sorted int64 indices into labels.

    labels: (n,) uint8, the first `training` of them of the official training part. Seen and unseen digits have train,
    validation and test each. Raises UserError where a digit has too few images.
    """
    seeded = {"validation": params.validation_per_class, "limit": params.limit_per_class, "seed": seed}
    groups = {"seen": params.seen_digits, "unseen": params.unseen_digits}
    digits = [*params.seen_digits, *params.unseen_digits]
    _check_counts(labels[:training], digits, params.validation_per_class, params.limit_per_class, "mnist")
    return {
        "mnist": {
            f"{group}_{part}": indices
            for group, classes in groups.items()
            for part, indices in split_classes(labels, training, classes, **seeded).items()
        }
    }


def split_classes(
    labels: np.ndarray, training: int, classes: list[int] | range, validation: int, limit: int | None, seed: int
) -> dict[str, np.ndarray]:
    """Split some classes into train, validation and test: sorted int64 indices into labels, disjoint.

    labels: (n,) uint8, the first `training` of them of the official training part, from which validation is taken;
    validation: images of each class; limit: the most training images (validation included), and the most test images,
    of each class. What is chosen of a class depends on that class and the seed alone, and validation not on the limit.
    """
    ordered = [_ordered(labels, training, label, limit, seed) for label in classes]
    return {
        "train": _joined([of_training[validation:] for of_training, _ in ordered]),
        "validation": _joined([of_training[:validation] for of_training, _ in ordered]),
        "test": _joined([of_test for _, of_test in ordered]),
    }


def all_of_classes(labels: np.ndarray, training: int, classes: list[int], limit: int | None, seed: int) -> np.ndarray:
    """Take all images of some classes, of both official parts: sorted int64 indices into labels.

    limit: the most training images and the most test images of each class.
    """
    return _joined([part for label in classes for part in _ordered(labels, training, label, limit, seed)])


def _ordered(
    labels: np.ndarray, training: int, label: int, limit: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Put a class's training and test images in random order, at most `limit` of each."""
    indices = np.flatnonzero(labels == label)
    parts = indices[indices < training], indices[indices >= training]
    return tuple(generator(seed, "split", label, number).permutation(part)[:limit] for number, part in enumerate(parts))


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate(parts)).astype(np.int64)


def _check_counts(labels: np.ndarray, classes, validation: int, limit: int | None, group: str) -> None:
    for label in classes:
        count = int(np.count_nonzero(labels == label))
        if limit is not None and limit > count:
            raise UserError(
                f"params.yaml: {group}.limit_per_class is {limit}, but class {label} has only {count} training images:"
                " lower it"
            )
        if validation >= count:
            raise UserError(
                f"params.yaml: {group}.validation_per_class is {validation}, but class {label} has only"
                f" {count} training images, of which some must remain to train on: lower it"
            )


def _without(classes: list[int], others: list[int], key: str) -> list[int]:
    shared = sorted(set(classes) & set(others))
    if shared:
        raise ValueError(f"must share no class with {key}, where {', '.join(map(str, shared))} is too")
    return classes


def _above(limit: int | None, validation: int, key: str) -> int | None:
    if limit is not None and limit <= validation:
        raise ValueError(f"must be more than {key}, which is {validation}, or no training image remains")
    return limit
