"""The parameters of the one-shot evaluations that CIFAR-10 and MNIST share."""

from typing import Annotated

from pydantic import Field, field_validator

from oneshot.params import Schema


class EpisodeParams(Schema):
    """How episodes are drawn."""

    episodes: int = Field(ge=2)
    shots: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)

    @field_validator("shots")
    @classmethod
    def _once(cls, shots: list[int]) -> list[int]:
        if len(set(shots)) < len(shots):
            raise ValueError("should name each number of shots once")
        return shots


class PictureParams(Schema):
    """How many images are pictured."""

    images_per_class: int = Field(ge=2)
