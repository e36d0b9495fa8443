"""Extract the 600 representation units of the 6-class net for novel classes and for base classes' validation images."""

from oneshot.convnet_params import ConvolutionParams
from oneshot.params import Schema, load
from oneshot.stage import run


class Params(Schema):
    """The leaves that this stage reads."""

    convnet: ConvolutionParams


def main() -> None:
    """Write features/6-class: embeddings and mirrored (n, 600) float32, labels (n,) uint8, indices (n,) int64."""
    params = load(Params)

    import numpy as np

    from oneshot import convnet, convnet_inference, datasets, files

    images, labels = datasets.read_cifar10("data/raw/cifar10")
    parts = files.read_arrays("data/splits/6-class")
    indices = np.concatenate([parts["novel"], parts["validation"]])
    model = convnet.build(len(np.unique(labels[parts["train"]])))
    files.read_weights("models/6-class.weights.h5", model)
    fast = convnet_inference.accelerate(model, params.convnet.convolution)
    represent = convnet_inference.predictor(fast, until="representation")
    arrays = {
        "embeddings": represent(images[indices]),
        "mirrored": represent(images[indices][:, :, ::-1]),
        "labels": labels[indices],
        "indices": indices,
    }
    files.write_arrays("features/6-class", arrays)


if __name__ == "__main__":
    run(main)
