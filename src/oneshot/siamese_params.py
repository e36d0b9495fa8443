"""The parameters of the siamese nets' training."""

from pydantic import Field

from oneshot.params import Schema


class SiameseParams(Schema):
    """How a siamese net is trained."""

    epochs: int = Field(ge=1)
    pairs_per_epoch: int = Field(ge=2)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    evaluation_pairs: int = Field(ge=2)
