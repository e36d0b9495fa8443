"""The parameters of the dense embedding nets' training."""

from pydantic import Field

from oneshot.core.params import Schema


class DenseEmbeddingParams(Schema):
    """How a dense embedding net is trained."""

    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
