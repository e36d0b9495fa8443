"""The nets' tables, layer by layer, as in the report; computed by arithmetic, so that no net has to be built."""

from typing import NamedTuple

from oneshot.nets.architecture import ARCHITECTURES
from oneshot.page.results import Results


class Row(NamedTuple):
    """A row of a net's table; shape: of the output, without the batch; parameters: 0 if nothing is trained."""

    name: str
    shape: tuple[int, ...]
    parameters: int


def section(results: Results) -> dict:
    """Compute "nets": the tables of the three nets, and whether each is the same as the report's."""
    classes, name = len(results.seen_classes), results.convnets["6-class"]
    seen = len(results.params["mnist"]["seen_digits"])
    digits = seen + len(results.params["mnist"]["unseen_digits"])
    tables = table("convnet", 10), table("dense_embedding", seen), table("siamese", units=3)
    ten, few, solid = (f"{rows[-1].parameters:,}" for rows in tables)
    listed = [
        (name, "convnet", classes, 6, f"CIFAR-10; with 10 classes the last layer has {ten} parameters"),
        (
            "Dense embedding net",
            "dense_embedding",
            digits,
            10,
            f"MNIST, {digits} digits; with the {seen} seen digits the last layer has {few} parameters",
        ),
        (
            "Siamese net, 2-D",
            "siamese",
            None,
            None,
            f"MNIST; both images of a pair go through it; in 3-D the last layer has {solid} parameters",
        ),
    ]
    nets = []
    for name, kind, ours, report, note in listed:
        rows = table(kind, ours)
        total = sum(row.parameters for row in rows)
        nets.append({"name": name, "note": note, "layers": rows, "total": total, "as_in_report": ours == report})
    return {"nets": nets}


def table(kind: str, classes: int | None = None, units: int | None = None) -> list[Row]:
    """The rows of a kind of net, of so many classes if it is a classifier."""
    net = ARCHITECTURES[kind]
    last = "dropout, dense, softmax" if net.dropout else "dense, softmax"
    dropout = ", dropout" if net.dropout else ""
    names = {
        "pool": f"max-pooling 2x2{dropout}",
        "flatten": f"flatten{dropout}" if net.relu else "flatten",
        "representation": "dense, ReLU: the representation",
        "embedding": "dense: the embedding",
        "logits": last,
    }
    rows = []
    for layer in net.layers(units, classes):
        name = f"convolution {layer.side}x{layer.side}, ReLU" if layer.kind == "conv" else None
        name = name or names.get(layer.name) or names[layer.kind]
        rows.append(Row(name, layer.shape, layer.parameters))
    return rows
