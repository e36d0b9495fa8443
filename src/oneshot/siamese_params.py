"""The parameters of the siamese nets' training."""

from typing import Literal

from pydantic import Field

from oneshot.params import Schema


class SiameseParams(Schema):
    """How a siamese net is trained."""

    pairs: Literal["drawn", "in_batch"]
    epochs: int = Field(ge=1)
    images_per_epoch: int = Field(ge=4, multiple_of=2)
    batch: int = Field(ge=4, multiple_of=2)
    learning_rate: float = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    shift: float = Field(ge=0, lt=1)
    evaluation_pairs: int = Field(ge=2)
