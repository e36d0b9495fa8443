"""A trained net from the pixels to its representation, as a list of layers with their weights; without TensorFlow."""

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from oneshot.core.errors import UserError
from oneshot.nets.architecture import ARCHITECTURES, DEVIATION, MEAN
from oneshot.nets.table import NETS

_EMPTY = np.empty(0, np.float32)


class Layer(NamedTuple):
    """One layer of a net.

    kind: conv (stride 1, padding "same", then ReLU), pool (the largest of 2 x 2), flatten, dense, or dense_relu; name:
    in the net; kernel: (rows, columns, inputs, outputs) of a conv, (inputs, outputs) of a dense layer, as Keras has
    them, float32; bias: (outputs,); both are empty for the others.
    """

    kind: str
    name: str
    kernel: np.ndarray = _EMPTY
    bias: np.ndarray = _EMPTY


class Net(NamedTuple):
    """Pixels 0..255, shape (height, width, channels), are multiplied by `scale`, `offset` is added, then the layers
    follow; `units` come out. scale, offset: (channels,) float32."""

    name: str
    shape: tuple[int, int, int]
    scale: np.ndarray
    offset: np.ndarray
    layers: list[Layer]

    @property
    def units(self) -> int:
        return len(self.layers[-1].bias)


def read_net(name: str, path: str | Path) -> Net:
    """Read a trained net up to its representation, on which all one-shot results are measured before any transform.

    That is of a ConvNet the 600 units of the penultimate layer after their ReLU, and of a digit net its embedding.
    name: of nets.table.NETS; path: the .weights.h5 of its training. Raises UserError if it is missing or holds a net of
    another kind or of other dimensions; nets that differ only in the classes that they were trained on are not
    distinguished.
    """
    weights, net = _read(path), NETS[name]
    architecture, layers = ARCHITECTURES[net.kind], []
    # What is left out does nothing after training (dropout) or only classifies the classes seen in training.
    for layer in architecture.layers():
        if not layer.parameters:
            layers.append(Layer(layer.kind, layer.name))
        elif layer.name not in weights:
            raise UserError(f"{path} does not hold the weights of {name} (it has no layer {layer.name}): run dvc repro")
        else:
            layers.append(Layer(layer.kind, layer.name, *weights[layer.name]))
    if net.kind == "convnet":
        mean, deviation = (np.array(values, np.float32) for values in (MEAN, DEVIATION))
        return Net(name, architecture.shape, 1 / deviation, -mean / deviation, layers)
    # Digit nets of different kinds differ in the side of conv2's filters.
    sides = {layer.name: layer.side for layer in architecture.layers()}
    found, wanted = (len(weights["conv2"][0]), len(layers[-1].bias)), (sides["conv2"], net.dimensions)
    if found != wanted:
        raise UserError(
            f"{path} does not hold the weights of {name} (its filters of conv2 have side {found[0]} and its"
            f" embedding {found[1]} units, not {wanted[0]} and {wanted[1]}): run dvc repro"
        )
    return Net(name, architecture.shape, np.array([1 / 255], np.float32), np.zeros(1, np.float32), layers)


def _read(path: str | Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of each layer that has them, by its name, from a file that Keras wrote."""
    try:
        with h5py.File(path) as file:
            layers: h5py.Group = file["layers"]  # pyright: ignore[reportAssignmentType]
            groups = [layer["vars"] for layer in layers.values()]
            return {group.attrs["name"]: (group["0"][()], group["1"][()]) for group in groups if len(group) == 2}
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run dvc repro, or dvc pull if a remote has it") from None
    except Exception as error:  # whatever HDF5 raises on a damaged file
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{path} does not hold weights that Keras wrote ({reason}): run dvc repro") from None
