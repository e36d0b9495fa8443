"""Labelled images, on which every net is trained and evaluated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from oneshot.core.errors import UserError


class LabelledImages(NamedTuple):
    """Images (n, side, side, channels), labels (n,) integers, and their positions (n,) int64 in the data set.

    The images have the dtype that the data set's nets expect: uint8 for CIFAR-10, float32 in [0, 1] for MNIST.
    """

    images: np.ndarray
    labels: np.ndarray
    indices: np.ndarray

    def take(self, positions: np.ndarray) -> "LabelledImages":
        """Return the images at some positions (m,) int64, in that order."""
        return LabelledImages(self.images[positions], self.labels[positions], self.indices[positions])

    def parts(self, splits: Mapping[str, np.ndarray]) -> dict[str, "LabelledImages"]:
        """Return the parts of a data set: {part: positions} -> {part: images}."""
        return {part: self.take(positions) for part, positions in splits.items()}

    def relabelled(self, classes: Sequence[int] | np.ndarray) -> "LabelledImages":
        """Replace each label by its position in `classes`, the index of its logit: labels (n,) int64.

        Raises ValueError if a label is not in `classes`.
        """
        others = np.setdiff1d(self.labels, classes)
        if len(others):
            raise ValueError(f"the label {others[0]} is not among the classes {list(classes)}")
        order = np.argsort(classes)
        places = order[np.searchsorted(np.asarray(classes), self.labels, sorter=order)]
        return self._replace(labels=places)


def join(parts: Sequence[LabelledImages]) -> LabelledImages:
    """Concatenate several sets of images into one."""
    return LabelledImages(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def first_of_each(images: LabelledImages, count: int) -> LabelledImages:
    """Take the first `count` images of each class, or all if there are fewer, class by class."""
    places = [np.flatnonzero(images.labels == label)[:count] for label in np.unique(images.labels)]
    return images.take(np.concatenate(places))


def check_labels(labels: np.ndarray, path: str | Path) -> None:
    """Raise UserError if a label, (n,) unsigned integers read from `path`, is above 9."""
    if labels.size and labels.max() > 9:
        raise UserError(f"{path} holds the label {labels.max()}, but labels are 0..9: delete it and run dvc repro")
