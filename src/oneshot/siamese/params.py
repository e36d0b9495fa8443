"""The parameters of the siamese nets' training."""

from typing import Annotated

from pydantic import Field

from oneshot.core.params import Schema

Margin = Annotated[float, Field(gt=0)]


class SiameseParams(Schema):
    """How a siamese net is trained."""

    epochs: int = Field(ge=1)
    images_per_epoch: int = Field(ge=4, le=10_000_000)
    # All pairs of a batch are held in memory.
    batch: int = Field(ge=4, le=2048)
    learning_rate: float = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    shift: float = Field(ge=0, lt=1)
    evaluation_pairs: int = Field(ge=2, le=10_000_000)


class Recipe(SiameseParams):
    """How a siamese net is trained, including the margin of its loss."""

    margin: Margin
