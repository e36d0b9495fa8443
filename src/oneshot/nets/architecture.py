"""The layers of each kind of net: what is built, exported, measured and shown in tables follows from this."""

from typing import NamedTuple


class Layer(NamedTuple):
    """A layer of a net.

    name: in the net; kind: conv (stride 1, padding "same", then ReLU), pool (the largest of 2 x 2), flatten, dense, or
    dense_relu; shape: of its output, without the batch; side: of a conv's filters; parameters: 0 if nothing is trained.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int = 0
    side: int = 0


class Architecture(NamedTuple):
    """A kind of net: convolutions, each block followed by pooling, and a dense layer that makes the vector.

    shape: of the images; blocks: (filters, side of the filters) of each convolution; vector: the dense layer's name;
    units: its size, unless the net says otherwise; relu: whether ReLU follows it; dropout: whether the net has any.
    """

    shape: tuple[int, int, int]
    blocks: tuple[tuple[tuple[int, int], ...], ...]
    vector: str
    units: int
    relu: bool
    dropout: bool

    def layers(self, units: int | None = None, classes: int | None = None) -> list[Layer]:
        """List the layers up to the vector and, of a classifier of so many classes, to the logits."""
        height, width, channels = self.shape
        found, number = [], 0
        for block, convolutions in enumerate(self.blocks, 1):
            for filters, side in convolutions:
                number += 1
                parameters = (side * side * channels + 1) * filters
                found.append(Layer(f"conv{number}", "conv", (height, width, filters), parameters, side))
                channels = filters
            height, width = height // 2, width // 2
            found.append(Layer(f"pool{block}", "pool", (height, width, channels)))
        size = height * width * channels
        found.append(Layer("flatten", "flatten", (size,)))
        dense = [(self.vector, "dense_relu" if self.relu else "dense", units or self.units)]
        for name, kind, outputs in [*dense, *([] if classes is None else [("logits", "dense", classes)])]:
            found.append(Layer(name, kind, (outputs,), (size + 1) * outputs))
            size = outputs
        return found


# By the `kind` of nets.table.Net. The report gives the first layer by layer; of the digit nets it gives parameter
# counts, from which the sides of the filters follow.
ARCHITECTURES = {
    "convnet": Architecture(
        (32, 32, 3),
        (((100, 3), (100, 3)), ((200, 3), (200, 3), (400, 3))),
        "representation",
        600,
        relu=True,
        dropout=True,
    ),
    "siamese": Architecture((28, 28, 1), (((32, 3),), ((64, 4),)), "embedding", 2, relu=False, dropout=True),
    "dense_embedding": Architecture((28, 28, 1), (((64, 3),), ((64, 3),)), "embedding", 2, relu=False, dropout=False),
}

# Mean and deviation of CIFAR-10's official training images per channel, on the scale 0..255, by which the ConvNets'
# inputs are standardised. Constants, so that a net's inputs do not depend on the split; zero padding is then the mean
# colour.
MEAN = (125.3069, 122.9501, 113.866)
DEVIATION = (62.9932, 62.0887, 66.7049)
