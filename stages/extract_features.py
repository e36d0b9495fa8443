"""Compute the representations by the 6-class net (600 units) of the unseen classes and some seen images."""

from oneshot.convnet.params import ConvolutionParams
from oneshot.core.environment import ComputeParams
from oneshot.core.params import Schema
from oneshot.core.stage import run

# Training images of each seen class: the statistics of the feature transforms come from them.
SEEN_PER_CLASS = 400


class Params(Schema):
    """The parameters that this stage reads."""

    compute: ComputeParams
    convnet: ConvolutionParams


def main(params: Params) -> None:
    """Write features/6-class: the arrays of inference.represent, labels (n,) uint8 and indices (n,) int64."""
    import numpy as np

    from oneshot.convnet import inference, net
    from oneshot.core import files
    from oneshot.core.images import first_of_each, join
    from oneshot.datasets import cifar10

    parts = cifar10.read("data/raw/cifar10").parts(files.read_arrays("data/splits/6-class"))
    model = net.build(len(np.unique(parts["train"].labels)))
    files.read_weights("models/6-class.weights.h5", model)
    images, labels, indices = join([parts["unseen"], first_of_each(parts["train"], SEEN_PER_CLASS)])
    features = inference.represent(inference.accelerate(model, params.convnet.convolution), images)
    files.write_arrays("features/6-class", {**features, "labels": labels, "indices": indices})


if __name__ == "__main__":
    run(main, Params)
