"""The parameters of the one-shot evaluations."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from oneshot.core.params import Schema
from oneshot.evaluation.transforms import METHODS

# Support images per class in all episodes together: they are held in memory, 8 bytes each.
_MOST_DRAWN = 10_000_000


class EpisodeParams(Schema):
    """How episodes are drawn."""

    episodes: int = Field(ge=2)
    shots: list[Annotated[int, Field(ge=1, le=1000)]] = Field(min_length=1)

    @field_validator("shots")
    @classmethod
    def _once(cls, shots: list[int]) -> list[int]:
        if len(set(shots)) < len(shots):
            raise ValueError("should name each number of shots once")
        return shots

    @model_validator(mode="after")
    def _fits_into_memory(self):
        if self.episodes * max(self.shots) > _MOST_DRAWN:
            raise ValueError(
                f"episodes times the most shots should be at most {_MOST_DRAWN:,}, but is"
                f" {self.episodes * max(self.shots):,}: lower one of them"
            )
        return self


class OneShotParams(EpisodeParams):
    """The report's protocol, and many episodes with several methods."""

    images_per_class: int = Field(ge=2)
    draws: int = Field(ge=2, le=1_000_000)
    methods: list[str] = Field(min_length=1)

    @field_validator("methods")
    @classmethod
    def _known(cls, methods: list[str]) -> list[str]:
        unknown = [method for method in methods if method not in METHODS]
        if unknown:
            raise ValueError(f"should name only {', '.join(METHODS)}")
        if len(set(methods)) < len(methods):
            raise ValueError("should name each method once")
        if "raw" not in methods:
            raise ValueError("should include raw, with which the others are compared")
        return methods


class PicturedParams(Schema):
    """How many images the scatter plots show."""

    images_per_class: int = Field(ge=2)


class PictureParams(PicturedParams):
    """The scatter plots, t-SNE included."""

    perplexity: float = Field(ge=1)
