"""One row per net of the pipeline. A net has the same name in stages, files, metrics and texts."""

from typing import Literal, NamedTuple


class Net(NamedTuple):
    """A net; its stage is train_KIND, and the package oneshot.KIND builds and trains it.

    data: the data set; kind: the package; dimensions: of the vector that it makes of an image; classes: which of its
    data set's classes it is trained on; purpose: what it is for.
    """

    name: str
    data: Literal["cifar10", "mnist"]
    kind: Literal["convnet", "siamese", "dense_embedding"]
    dimensions: int
    classes: Literal["all", "seen"]
    purpose: str


NETS = {
    net.name: net
    for net in (
        Net("10-class", "cifar10", "convnet", 600, "all", "the report's classifier of photographs"),
        Net("6-class", "cifar10", "convnet", 600, "seen", "photographs of unseen classes from few examples"),
        Net("siamese-2d", "mnist", "siamese", 2, "seen", "drawings of unseen classes from few examples, in a plane"),
        Net("siamese-3d", "mnist", "siamese", 3, "seen", "drawings of unseen classes from few examples, in space"),
        Net("dense-all", "mnist", "dense_embedding", 2, "all", "the report's classifier of digits with a 2-D layer"),
        Net("dense-seen", "mnist", "dense_embedding", 2, "seen", "the same, to compare with the siamese nets"),
    )
}
PHOTOGRAPHS = tuple(name for name, net in NETS.items() if net.data == "cifar10")
DRAWINGS = tuple(name for name, net in NETS.items() if net.data == "mnist")
SIAMESE = tuple(name for name, net in NETS.items() if net.kind == "siamese")
DENSE = tuple(name for name, net in NETS.items() if net.kind == "dense_embedding")
