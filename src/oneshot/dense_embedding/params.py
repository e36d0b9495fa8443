"""The parameters of the dense embedding nets' training."""

from pydantic import Field

from oneshot.core.params import Schema


class DenseEmbeddingParams(Schema):
    """How a dense embedding net is trained."""

    epochs: int = Field(ge=1)
    # An image takes about 1 MB in training.
    batch: int = Field(ge=1, le=4096)
    learning_rate: float = Field(gt=0)
