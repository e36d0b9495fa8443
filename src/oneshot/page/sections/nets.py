"""The nets' tables, layer by layer, as in the report; computed by arithmetic, so that no net has to be built."""

from typing import NamedTuple

from oneshot.page.results import Results


class Layer(NamedTuple):
    """A row of a net's table; shape: of the output, without the batch; parameters: 0 if nothing is trained."""

    name: str
    shape: tuple[int, ...]
    parameters: int


def section(results: Results) -> dict:
    """Compute "nets": the tables of the three nets, and whether each is the same as the report's."""
    classes, name = len(results.seen_classes), results.convnets["6-class"]
    seen = len(results.params["mnist"]["seen_digits"])
    digits = seen + len(results.params["mnist"]["unseen_digits"])
    ten, few, solid = (f"{layers[-1].parameters:,}" for layers in (convnet(10), dense_embedding(seen), siamese(3)))
    listed = [
        (name, convnet(classes), convnet(6), f"CIFAR-10; with 10 classes the last layer has {ten} parameters"),
        (
            "Dense embedding net",
            dense_embedding(digits),
            dense_embedding(10),
            f"MNIST, {digits} digits; with the {seen} seen digits the last layer has {few} parameters",
        ),
        (
            "Siamese net, 2-D",
            siamese(2),
            siamese(2),
            f"MNIST; both images of a pair go through it; in 3-D the last layer has {solid} parameters",
        ),
    ]
    return {
        "nets": [
            {
                "name": name,
                "note": note,
                "layers": layers,
                "total": sum(layer.parameters for layer in layers),
                "as_in_report": layers == report,
            }
            for name, layers, report, note in listed
        ]
    }


def convnet(classes: int) -> list[Layer]:
    """The ConvNet for CIFAR-10."""
    return [
        _convolution((32, 32, 3), 100, 3),
        _convolution((32, 32, 100), 100, 3),
        Layer("max-pooling 2x2, dropout", (16, 16, 100), 0),
        _convolution((16, 16, 100), 200, 3),
        _convolution((16, 16, 200), 200, 3),
        _convolution((16, 16, 200), 400, 3),
        Layer("max-pooling 2x2, dropout", (8, 8, 400), 0),
        Layer("flatten, dropout", (25600,), 0),
        _dense("dense, ReLU: the representation", 25600, 600),
        _dense("dropout, dense, softmax", 600, classes),
    ]


def dense_embedding(classes: int) -> list[Layer]:
    """The digit classifier whose penultimate layer is the embedding."""
    return [
        _convolution((28, 28, 1), 64, 3),
        Layer("max-pooling 2x2", (14, 14, 64), 0),
        _convolution((14, 14, 64), 64, 3),
        Layer("max-pooling 2x2", (7, 7, 64), 0),
        Layer("flatten", (3136,), 0),
        _dense("dense: the embedding", 3136, 2),
        _dense("dense, softmax", 2, classes),
    ]


def siamese(dimensions: int) -> list[Layer]:
    """The net that embeds both images of a pair."""
    return [
        _convolution((28, 28, 1), 32, 3),
        Layer("max-pooling 2x2, dropout", (14, 14, 32), 0),
        _convolution((14, 14, 32), 64, 4),
        Layer("max-pooling 2x2, dropout", (7, 7, 64), 0),
        Layer("flatten", (3136,), 0),
        _dense("dense: the embedding", 3136, dimensions),
    ]


def _convolution(shape: tuple[int, int, int], filters: int, kernel: int) -> Layer:
    *side, channels = shape
    name = f"convolution {kernel}x{kernel}, ReLU"
    return Layer(name, (*side, filters), (kernel * kernel * channels + 1) * filters)


def _dense(name: str, inputs: int, units: int) -> Layer:
    return Layer(name, (units,), (inputs + 1) * units)
