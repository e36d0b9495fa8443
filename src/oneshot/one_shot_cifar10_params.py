"""The parameters of the one-shot evaluation on CIFAR-10."""

from typing import Annotated

from pydantic import Field, field_validator

from oneshot.episode_params import EpisodeParams, PictureParams
from oneshot.params import Schema
from oneshot.representations import METHODS


class NovelClassParams(Schema):
    """The classes that the net has not seen."""

    novel_classes: list[Annotated[int, Field(ge=0, le=9)]] = Field(min_length=2)


class OneShotCifar10Params(EpisodeParams):
    """The report's protocol, and the precise one."""

    images_per_class: int = Field(ge=2)
    draws: int = Field(ge=2)
    ways: int | None = Field(ge=2)
    methods: list[str] = Field(min_length=1)
    exponent: float = Field(gt=0, le=1)

    @field_validator("methods")
    @classmethod
    def _known(cls, methods: list[str]) -> list[str]:
        unknown = [method for method in methods if method not in METHODS]
        if unknown:
            raise ValueError(f"should name only {', '.join(METHODS)}")
        if len(set(methods)) < len(methods):
            raise ValueError("should name each method once")
        if "raw" not in methods:
            raise ValueError("should include raw, which the others are compared with")
        return methods


class ProjectionParams(PictureParams):
    """The PCA and t-SNE pictures."""

    perplexity: float = Field(ge=1)
