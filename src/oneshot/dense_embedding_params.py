"""The parameters of the dense embedding net's training."""

from pydantic import Field

from oneshot.params import Schema


class DenseEmbeddingParams(Schema):
    """How the dense embedding net is trained."""

    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
