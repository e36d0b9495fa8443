"""The parameters of the splits."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from oneshot.core.params import Schema


def _distinct(classes: list[int]) -> list[int]:
    if len(set(classes)) < len(classes):
        raise ValueError("must not name a class twice")
    return classes


# Images that every class has at least.
CIFAR10_IMAGES = {"training": 5000, "test": 1000}
MNIST_IMAGES = {"training": 5421, "test": 892}

# At least two: with one class there is nothing to classify.
Classes = Annotated[list[Annotated[int, Field(ge=0, le=9)]], Field(min_length=2), AfterValidator(_distinct)]


class Cifar10Params(Schema):
    """How CIFAR-10 is split; each class has 5,000 training images."""

    seen_classes: Classes
    unseen_classes: Classes
    # Two training images of each class choose the temperature of the probabilities.
    validation_per_class: int = Field(ge=1, le=CIFAR10_IMAGES["training"] - 2)
    limit_per_class: Annotated[int, Field(le=CIFAR10_IMAGES["training"])] | None

    @field_validator("unseen_classes")
    @classmethod
    def _disjoint(cls, unseen: list[int], info: ValidationInfo) -> list[int]:
        return _without(unseen, info.data.get("seen_classes", []), "cifar10.seen_classes")

    @field_validator("limit_per_class")
    @classmethod
    def _leaves_training(cls, limit: int | None, info: ValidationInfo) -> int | None:
        return _above(limit, info.data.get("validation_per_class", 0), 2, "cifar10.validation_per_class")


class MnistParams(Schema):
    """How MNIST is split; the rarest digit, 5, has 5,421 training images and 892 test images."""

    seen_digits: Classes
    unseen_digits: Classes
    # Two of each digit make a pair.
    validation_per_class: int = Field(ge=2, lt=MNIST_IMAGES["training"])
    limit_per_class: Annotated[int, Field(le=MNIST_IMAGES["training"])] | None

    @field_validator("unseen_digits")
    @classmethod
    def _disjoint(cls, unseen: list[int], info: ValidationInfo) -> list[int]:
        return _without(unseen, info.data.get("seen_digits", []), "mnist.seen_digits")

    @field_validator("limit_per_class")
    @classmethod
    def _leaves_training(cls, limit: int | None, info: ValidationInfo) -> int | None:
        return _above(limit, info.data.get("validation_per_class", 0), 1, "mnist.validation_per_class")


class UnseenClassParams(Schema):
    """The classes of CIFAR-10 that the 6-class net has not seen."""

    unseen_classes: Classes


class DigitParams(Schema):
    """The digits that the siamese nets have seen, and the others."""

    seen_digits: Classes
    unseen_digits: Classes


def _without(classes: list[int], others: list[int], key: str) -> list[int]:
    shared = sorted(set(classes) & set(others))
    if shared:
        raise ValueError(f"must share no class with {key}, which has {', '.join(map(str, shared))} too")
    return classes


def _above(limit: int | None, validation: int, training: int, key: str) -> int | None:
    if limit is not None and limit < validation + training:
        least = validation + training
        raise ValueError(f"must be at least {least}: {key} is {validation}, and training needs {training} more")
    return limit
