"""Which images train, validate and test each task: index arrays by class, never copies of images."""

from collections.abc import Iterable

import numpy as np

from oneshot.core.errors import UserError
from oneshot.core.seeds import generator
from oneshot.splits.params import Cifar10Params, MnistParams


def split_cifar10(
    labels: np.ndarray, training: int, params: Cifar10Params, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Split CIFAR-10 for the two ConvNets: {"10-class": {...}, "6-class": {...}} of sorted int64 indices into labels.

    labels: (n,) uint8, the first `training` of them official training images. Both tasks have train, validation
    and test. Those of the 6-class task hold only seen classes; its `unseen` holds all images of the unseen classes.
    Raises UserError if a class has too few images.
    """
    seeded = {"validation": params.validation_per_class, "limit": params.limit_per_class, "seed": seed}
    _check_counts(labels[:training], range(10), params.validation_per_class, params.limit_per_class, "cifar10")
    return {
        "10-class": split_classes(labels, training, range(10), **seeded),
        "6-class": split_classes(labels, training, params.seen_classes, **seeded)
        | {"unseen": all_of_classes(labels, training, params.unseen_classes, params.limit_per_class, seed)},
    }


def split_mnist(labels: np.ndarray, training: int, params: MnistParams, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Split MNIST for the digit nets: {"mnist": {"seen_train": ..., ...}} of sorted int64 indices into labels.

    labels: (n,) uint8, the first `training` of them official training images. Seen and unseen digits have train,
    validation and test each. Raises UserError if a digit has too few images.
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

    labels: (n,) uint8, the first `training` of them official training images, from which validation is taken;
    validation: images per class; limit: the most training images (validation included) and the most test images per
    class. The choice for a class depends only on that class and the seed; the validation images do not depend on limit.
    """
    ordered = [_ordered(labels, training, label, limit, seed) for label in classes]
    return {
        "train": _joined([of_training[validation:] for of_training, _ in ordered]),
        "validation": _joined([of_training[:validation] for of_training, _ in ordered]),
        "test": _joined([of_test for _, of_test in ordered]),
    }


def all_of_classes(labels: np.ndarray, training: int, classes: list[int], limit: int | None, seed: int) -> np.ndarray:
    """Take all images of some classes from both official parts: sorted int64 indices into labels.

    limit: the most training images and the most test images per class.
    """
    return _joined([part for label in classes for part in _ordered(labels, training, label, limit, seed)])


def _ordered(
    labels: np.ndarray, training: int, label: int, limit: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Put a class's training and test images in random order, at most `limit` of each."""
    indices = np.flatnonzero(labels == label)
    parts = indices[indices < training], indices[indices >= training]
    of_training, of_test = (
        generator(seed, "split", label, number).permutation(part)[:limit] for number, part in enumerate(parts)
    )
    return of_training, of_test


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate(parts)).astype(np.int64)


def _check_counts(labels: np.ndarray, classes: Iterable[int], validation: int, limit: int | None, group: str) -> None:
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
