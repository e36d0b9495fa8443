"""The parameters of the one-shot evaluations."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from oneshot.core.params import Schema
from oneshot.evaluation.methods import METHODS, renamed

# Support images per class in all episodes together, of all numbers of shots: they are held in memory, 8 bytes each.
_MOST_DRAWS = 10_000_000


def _check_names(methods: list[str], known: list[str]) -> None:
    if not set(methods) <= set(known):
        new = {name: renamed(name) for name in methods if renamed(name)}
        now = "".join(f"; {old} is now {name}" for old, name in new.items())
        raise ValueError(f"should name only {', '.join(known)}{now}")
    if len(set(methods)) < len(methods):
        raise ValueError("should name each method once")


class EpisodeParams(Schema):
    """How episodes are sampled."""

    # The confusions of all episodes are held too, 8 bytes for each two classes.
    episodes: int = Field(ge=2, le=1_000_000)
    shots: list[Annotated[int, Field(ge=1, le=1000)]] = Field(min_length=1)

    @field_validator("shots")
    @classmethod
    def _once(cls, shots: list[int]) -> list[int]:
        if len(set(shots)) < len(shots):
            raise ValueError("should name each number of shots once")
        return shots

    @model_validator(mode="after")
    def _fits_into_memory(self):
        draws = self.episodes * sum(self.shots)
        if draws > _MOST_DRAWS:
            raise ValueError(
                f"episodes times the sum of all shots should be at most {_MOST_DRAWS:,}, but is {draws:,}: lower one"
            )
        return self


class OneShotParams(EpisodeParams):
    """The report's protocol, many episodes with several methods, and fewer with transductive ones."""

    images_per_class: int = Field(ge=2)
    draws: int = Field(ge=2, le=1_000_000)
    queries: int = Field(ge=1)
    methods: list[str] = Field(min_length=1)
    transductive_methods: list[str]
    transductive_episodes: int = Field(ge=2, le=100_000)

    @field_validator("methods")
    @classmethod
    def _known(cls, methods: list[str]) -> list[str]:
        _check_names(methods, list(METHODS))
        if "raw" not in methods:
            raise ValueError("should include raw, with which the others are compared")
        return methods

    @field_validator("transductive_methods")
    @classmethod
    def _of_unit_length(cls, methods: list[str]) -> list[str]:
        _check_names(methods, [name for name, method in METHODS.items() if method.steps[-1:] == ("unit",)])
        return methods


class PicturedParams(Schema):
    """How many images the scatter plots show."""

    images_per_class: int = Field(ge=2)


class PictureParams(PicturedParams):
    """The scatter plots, t-SNE included."""

    perplexity: float = Field(ge=1)
