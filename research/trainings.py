"""Trainings as the stages of the project do them, for the studies."""

from importlib import import_module
from pathlib import Path

from study import Params

from oneshot.core import environment
from oneshot.core.images import LabelledImages
from oneshot.core.params import Schema
from oneshot.siamese.params import Recipe
from oneshot.training.checkpoint import Checkpoint


def siamese_net(dimensions: int, train: LabelledImages, validation: LabelledImages, params: Params, scratch: Path):
    """Train the report's siamese net by the recipe of params.yaml; scratch: see `fit`."""
    from oneshot.siamese import net
    from oneshot.training.tensorflow import seed_initialisation

    seed_initialisation(params.seed)
    model = net.build(dimensions, params.siamese.dropout)
    recipe = Recipe(margin=params.margin, **dict(params.siamese))
    fit("siamese", model, train, validation, recipe, params, scratch)
    return model


def fit(
    kind: str, model, train: LabelledImages, validation: LabelledImages, recipe: Schema, params: Params, scratch: Path
) -> None:
    """Train a net in place with the package oneshot.KIND; interrupted, or called again, it resumes from `scratch`."""
    fixed = recipe.model_dump_json(), params.model_dump_json(), environment.determinants(params.compute)
    checkpoint = Checkpoint(scratch, "net", *fixed, *train, *validation)
    options = {"seed": params.seed, "checkpoint": checkpoint, "on_epoch": lambda row: None}
    import_module(f"oneshot.{kind}.training").train(model, train, validation, recipe, **options)
