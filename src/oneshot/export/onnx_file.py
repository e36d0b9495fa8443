"""A net as an ONNX file, node by node."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oneshot.core.errors import UserError
from oneshot.export.nets import Net

# Of 2022, so that runtimes of the last years read it.
_OPSET, _IR = 17, 8


def encode(net: Net) -> bytes:
    """Write a net as the bytes of an ONNX file: `images` (n, height, width, channels) uint8 -> `representation`
    (n, units) float32.

    Within, channels come first, as ONNX has them, and last again before they are flattened, so that the dense layer's
    weights are the net's own. Kernels and biases are named LAYER.kernel and LAYER.bias.
    """
    graph = _Graph()
    graph.add("Cast", to=TensorProto.FLOAT)
    graph.add("Mul", scale=net.scale)
    graph.add("Add", offset=net.offset)
    graph.add("Transpose", perm=[0, 3, 1, 2])
    for layer in net.layers:
        kernel, bias = f"{layer.name}.kernel", f"{layer.name}.bias"
        if layer.kind == "conv":
            sides = layer.kernel.shape[:2]
            # Where a side is even, TensorFlow's "same" convolution pads more below and on the right.
            pads = [(side - 1) // 2 for side in sides] + [side // 2 for side in sides]
            constants = {kernel: layer.kernel.transpose(3, 2, 0, 1), bias: layer.bias}
            graph.add("Conv", pads=pads, kernel_shape=sides, **constants)
            graph.add("Relu")
        elif layer.kind == "pool":
            graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        elif layer.kind == "flatten":
            graph.add("Transpose", perm=[0, 2, 3, 1])
            graph.add("Flatten", axis=1)
        else:
            graph.add("Gemm", **{kernel: layer.kernel, bias: layer.bias})
            if layer.kind == "dense_relu":
                graph.add("Relu")
    graph.nodes[-1].output[0] = "representation"
    ends = (
        helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", *net.shape]),
        helper.make_tensor_value_info("representation", TensorProto.FLOAT, ["n", net.units]),
    )
    made = helper.make_model(
        helper.make_graph(graph.nodes, net.name, ends[:1], ends[1:], graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="oneshot",
    )
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)


def read_constants(path: str | Path) -> dict[str, np.ndarray]:
    """Read the constants of an ONNX file by name: LAYER.kernel and LAYER.bias, `scale` and `offset`.

    A convolution's kernel is (outputs, inputs, rows, columns). Raises UserError if the file is missing or no ONNX file.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run dvc repro, or dvc pull if a remote has it") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{path} is no ONNX file ({reason}): delete it and run dvc repro") from None
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


class _Graph:
    """A chain of nodes, each applied to what the one before it gives."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, kind: str, **given) -> None:
        """Add a node; `given` are its attributes, and its constants, which are arrays."""
        constants = {name: value for name, value in given.items() if isinstance(value, np.ndarray)}
        attributes = {name: value for name, value in given.items() if name not in constants}
        self.constants += [
            numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()
        ]
        before = self.nodes[-1].output[0] if self.nodes else "images"
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [before, *constants], [name], name, **attributes))
