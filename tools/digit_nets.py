"""Train siamese nets apart from the pipeline, for tables that need more of them than it makes."""

from oneshot.core import environment
from oneshot.core.environment import ComputeParams
from oneshot.core.images import LabelledImages
from oneshot.core.params import Schema, Seed
from oneshot.evaluation.params import EpisodeParams
from oneshot.siamese.params import Margin, Recipe, SiameseParams
from oneshot.splits.params import DigitParams


class Params(Schema):
    """The parameters of the nets and of their evaluation."""

    compute: ComputeParams
    seed: Seed
    margin: Margin
    siamese: SiameseParams
    mnist: DigitParams
    one_shot: EpisodeParams

    def recipe(self) -> Recipe:
        """The siamese nets' recipe."""
        return Recipe(margin=self.margin, **self.siamese.model_dump())


def train(
    name: str,
    dimensions: int,
    train_set: LabelledImages,
    validation_set: LabelledImages,
    recipe: Recipe,
    compute: ComputeParams,
    seed: int,
):
    """Train a siamese net as the stage train_siamese does, and return it.

    name: of its checkpoint, which stays: with the same parameters and data, the training is not repeated.
    """
    from oneshot.siamese import net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    print(f"{name}:", flush=True)
    seed_initialisation(seed)
    model = net.build(dimensions, recipe.dropout)
    fixed = recipe.model_dump_json(), str(dimensions), str(seed), environment.determinants(compute)
    checkpoint = Checkpoint(".checkpoints", name, *fixed, *train_set, *validation_set)
    training.train(
        model, train_set, validation_set, recipe, seed=seed, checkpoint=checkpoint, on_epoch=lambda metrics: None
    )
    return model
