"""The parameters of the ConvNets' training."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from oneshot.core.params import Schema

Phase = Annotated[
    tuple[Annotated[int, Field(ge=8, le=32, multiple_of=8)], Annotated[float, Field(ge=0.01, le=1000)]],
    Field(strict=False),
]
ResolutionSchedule = Annotated[list[Phase], Field(min_length=1)]
# Net: its key in groups of parameters (`-S` takes none that starts with a digit).
KEYS = {"10-class": "ten_class", "6-class": "six_class"}


class AugmentationParams(Schema):
    """How training images are augmented."""

    rotation: float = Field(ge=0, le=180)
    width_shift: float = Field(ge=0, lt=1)
    height_shift: float = Field(ge=0, lt=1)
    shear: float = Field(ge=0, lt=90)
    zoom: float = Field(ge=0, lt=1)
    flip: Literal["none", "alternating"]
    fill: Literal["nearest", "reflect"]
    interpolation: Literal["nearest", "bilinear"]


class RecipeParams(Schema):
    """How both nets are trained."""

    # An image takes about 8 MB in training.
    batch: int = Field(ge=1, le=1024)
    optimizer: Literal["adam", "muon"]
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "triangle"]
    warmup: float = Field(ge=0, le=1)
    bias_rate_multiple: float = Field(gt=0)
    l2_penalty: float = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    batch_norm: bool
    whitening_filters: bool
    frozen: int = Field(ge=0, le=5)
    dropout_maps: float = Field(ge=0, lt=1)
    dropout_flatten: float = Field(ge=0, lt=1)
    dropout_units: float = Field(ge=0, lt=1)
    augmentation: AugmentationParams

    @model_validator(mode="after")
    def _muon_has_batch_norm(self):
        if self.optimizer == "muon" and not self.batch_norm:
            raise ValueError("the optimizer muon fixes the norm of the filters, which needs batch_norm true")
        return self


class Recipe(RecipeParams):
    """How one net is trained: the shared recipe, and what is its own.

    resolution_schedule: training phases [side of the images, epochs]; feature_norm_penalty, dense_classification_loss:
    weights of `losses.feature_norm_spread` and of `losses.dense_classification_entropy` in the loss.
    """

    resolution_schedule: ResolutionSchedule
    feature_norm_penalty: float = Field(ge=0)
    dense_classification_loss: float = Field(ge=0)

    def sides(self) -> list[tuple[int, float]]:
        """Return the side of the images in pixels, and the part of the images that are used, of each epoch."""
        return [
            (side, min(1.0, epochs - done))
            for side, epochs in self.resolution_schedule
            for done in range(math.ceil(epochs))
        ]


class ConvolutionParams(Schema):
    """How a convolution is computed: "auto" is Winograd's algorithm on a CPU and TensorFlow's own on a GPU."""

    convolution: Literal["auto", "winograd", "plain"]


class ScheduleParams(Schema):
    """How long each net of KEYS is trained, and on images of which side."""

    ten_class: ResolutionSchedule
    six_class: ResolutionSchedule


class WeightParams(Schema):
    """The weight of a part of the loss in each net's training."""

    ten_class: float = Field(ge=0)
    six_class: float = Field(ge=0)


class ConvnetParams(ConvolutionParams):
    """How the 10-class and the 6-class net are trained."""

    resolution_schedule: ScheduleParams
    feature_norm_penalty: WeightParams
    dense_classification_loss: WeightParams
    recipe: RecipeParams

    def recipe_of(self, net: str) -> Recipe:
        """Return the recipe of the "10-class" or the "6-class" net."""
        key = KEYS[net]
        names = ("resolution_schedule", "feature_norm_penalty", "dense_classification_loss")
        own = {name: getattr(getattr(self, name), key) for name in names}
        return Recipe(**own, **dict(self.recipe))
