"""Compute the representations by a ConvNet (600 units) of the classes that it has not seen and of some seen images."""

from oneshot.convnet.params import ConvolutionParams
from oneshot.core.environment import ComputeParams
from oneshot.core.params import Schema
from oneshot.core.stage import run
from oneshot.nets.table import PHOTOGRAPHS

# Training images of each seen class: the statistics of the feature transforms come from them.
SEEN_PER_CLASS = 400


class Params(Schema):
    """The parameters that this stage reads."""

    compute: ComputeParams
    convnet: ConvolutionParams


def main(params: Params, name: str) -> None:
    """Write features/NAME: the arrays of inference.extract_features, labels (n,) uint8 and indices (n,) int64."""
    import numpy as np

    from oneshot.convnet import inference, net
    from oneshot.core import files
    from oneshot.core.images import first_of_each, join
    from oneshot.datasets import cifar10

    parts = cifar10.read("data/raw/cifar10").parts(files.read_arrays(f"data/splits/{name}"))
    model = net.build(len(np.unique(parts["train"].labels)))
    weights = f"models/{name}.weights.h5"
    files.read_weights(weights, model)
    # The 10-class net has seen all classes.
    unseen = [parts["unseen"]] if "unseen" in parts else []
    images, labels, indices = join([*unseen, first_of_each(parts["train"], SEEN_PER_CLASS)])
    features = inference.extract_features(inference.accelerate(model, params.convnet.convolution), images)
    files.write_features(f"features/{name}", {**features, "labels": labels, "indices": indices}, net=weights)


if __name__ == "__main__":
    run(main, Params, net=PHOTOGRAPHS)
