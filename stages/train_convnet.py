"""Train the report's ConvNet on all ten classes or on the six seen ones."""

from oneshot.convnet.params import KEYS, ConvnetParams
from oneshot.core.environment import TrainingComputeParams
from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run


class Params(Schema):
    """The parameters that this stage reads."""

    compute: TrainingComputeParams
    seed: Seed
    convnet: ConvnetParams


def main(params: Params, name: str) -> str:
    """Write the net's weights (with batch norm folded in), learning curves and test metrics; return the accuracy."""
    import numpy as np

    from oneshot.convnet import inference, net, training
    from oneshot.core import environment, files
    from oneshot.datasets import cifar10
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.curves import Curves
    from oneshot.training.tensorflow import seed_initialisation

    precision = params.compute.precision
    training.check_precision(precision)
    parts = cifar10.read("data/raw/cifar10").parts(files.read_arrays(f"data/splits/{name}"))
    classes = np.unique(parts["train"].labels)
    train, validation, test = (parts[part].relabelled(classes) for part in ("train", "validation", "test"))
    recipe, convolution = params.convnet.recipe_of(name), params.convnet.convolution

    fixed = environment.determinants(params.compute)
    seed_initialisation(params.seed)
    model = training.build(len(classes), recipe, convolution, precision)
    # "auto" depends on whether there is a GPU.
    chosen = str(inference.use_winograd(convolution)), precision, str(params.seed), fixed
    checkpoint = Checkpoint(".checkpoints", name, recipe.model_dump_json(), *chosen, *train, *validation)
    curves = Curves(f"plots/curves/{name}.csv")
    training.train(model, train, validation, recipe, seed=params.seed, checkpoint=checkpoint, on_epoch=curves.add)

    plain = net.fold(model)
    files.write_weights(f"models/{name}.weights.h5", plain)
    metrics = inference.test_metrics(inference.accelerate(plain, convolution), test)
    files.write_json(f"metrics/train_convnet/{name}.json", metrics)
    checkpoint.delete()
    return f"{name}: test accuracy {metrics['test']['accuracy']:.3f}"


if __name__ == "__main__":
    run(main, Params, net=tuple(KEYS))
