"""An encoder as an ONNX file, node by node: from uint8 images to the vectors of each method; always the same bytes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oneshot.core.errors import UserError
from oneshot.encoders.weights import Net
from oneshot.evaluation import transforms
from oneshot.evaluation.methods import Method
from oneshot.evaluation.transforms import FeatureTransform

# Of 2022, so that runtimes of the last years read it.
_OPSET, _IR = 17, 8


def encode(
    net: Net,
    methods: Mapping[str, Method],
    seen: transforms.Layers,
    seen_labels: np.ndarray,
    about: Mapping[str, object],
) -> bytes:
    """Write an encoder as the bytes of an ONNX file.

    `images` (n, height, width, channels) uint8 -> an output per method, named by it, (n, d) float32.

    methods: METHODS or DIGIT_METHODS; seen, seen_labels: features of classes that the net was trained on, from which
    the constants of the methods come, see `transform_features`; about: the file's metadata, see encoder.Encoder; what
    is no text is written as JSON.

    Within, channels come first, as ONNX has them, and last again before they are flattened, so that the dense layer's
    weights are the net's own. Constants are named LAYER.kernel, LAYER.bias and METHOD.LAYER.STEP.
    """
    graph = _Graph()
    images = graph.add("Transpose", graph.add("Cast", "images", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    flip = any(method.flip for method in methods.values())
    if flip:
        # The mirror images follow the images: both go through the net at once.
        ends = {
            name: np.array([value]) for name, value in (("start", -1), ("end", -(2**31)), ("axis", 3), ("step", -1))
        }
        flipped = graph.add("Slice", images, *(graph.constant(f"flip.{name}", end) for name, end in ends.items()))
        images = graph.add("Concat", images, flipped, axis=0)
    views = {name: _views(graph, found, flip) for name, found in _layers(graph, net, images).items()}
    outputs = []
    for name, method in methods.items():
        parts, sizes = [], []
        fitted = transforms.fit(name, seen, seen_labels)
        for layer, transform in fitted.items():
            found = views[layer][0]
            if method.flip:
                both = graph.add("Add", *views[layer])
                found = graph.add("Mul", both, graph.constant("half", np.array(0.5, np.float32)))
            parts.append(_transformed(graph, found, transform, f"{name}.{layer}"))
            sizes.append(transform._n_features_out)
        whole = graph.add("Concat", *parts, axis=1)
        if len(parts) > 1:
            whole = graph.add("Div", whole, graph.constant(f"{name}.length", np.array(np.sqrt(len(parts)), np.float32)))
        graph.nodes.append(helper.make_node("Identity", [whole], [name], name))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", sum(sizes)]))
    given = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", *net.shape])
    model = helper.make_model(
        helper.make_graph(graph.nodes, net.name, [given], outputs, list(graph.constants.values())),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="oneshot",
    )
    # Sorted, so that no order of a dict decides the bytes.
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in about.items()
    }
    helper.set_model_props(model, dict(sorted(texts.items())))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def digest(net: Net, seen: transforms.Layers, seen_labels: np.ndarray) -> str:
    """SHA-256 of all numbers that an encoder is made from."""
    arrays = [array for layer in net.layers for array in (layer.kernel, layer.bias)]
    arrays += [*(seen[name] for name in sorted(seen)), seen_labels]
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def read_constants(path: str | Path, weights: str) -> dict[str, np.ndarray]:
    """Read the constants of an encoder by name, as `encode` names them.

    weights: SHA-256 of the weights that it must be made from, as its metadata have it (weights_sha256). A convolution's
    kernel is (outputs, inputs, rows, columns). Raises UserError if the file is missing, no ONNX file, or of other
    weights.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run dvc repro, or dvc pull if a remote has it") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{path} is no ONNX file ({reason}): delete it and run dvc repro") from None
    if {"weights_sha256": weights} not in ({end.key: end.value} for end in model.metadata_props):
        raise UserError(f"{path} was made from other weights than the features beside it: run dvc repro")
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _layers(graph: "_Graph", net: Net, images: str) -> dict[str, str]:
    """Add the net; return the names of what the methods start from: "units", "linear" and "pooled", or "units" and
    "maps"."""
    scale, offset = (values.reshape(-1, 1, 1) for values in (net.scale, net.offset))
    found = graph.add("Mul", images, graph.constant("scale", scale))
    found = graph.add("Add", found, graph.constant("offset", offset))
    layers, maps = {}, found
    for layer in net.layers:
        kernel, bias = f"{layer.name}.kernel", f"{layer.name}.bias"
        if layer.kind == "conv":
            sides = layer.kernel.shape[:2]
            # Where a side is even, TensorFlow's "same" convolution pads more below and on the right.
            pads = [(side - 1) // 2 for side in sides] + [side // 2 for side in sides]
            constants = graph.constant(kernel, layer.kernel.transpose(3, 2, 0, 1)), graph.constant(bias, layer.bias)
            found = graph.add("Relu", graph.add("Conv", found, *constants, pads=pads, kernel_shape=sides))
        elif layer.kind == "pool":
            found = maps = graph.add("MaxPool", found, kernel_shape=[2, 2], strides=[2, 2])
        elif layer.kind == "flatten":
            found = _flattened(graph, maps)
        else:
            linear = graph.add("Gemm", found, graph.constant(kernel, layer.kernel), graph.constant(bias, layer.bias))
            if layer.kind == "dense_relu":
                pooled = graph.add("Flatten", graph.add("GlobalAveragePool", maps), axis=1)
                layers = {"units": graph.add("Relu", linear), "linear": linear, "pooled": pooled}
            else:
                # As training.maps.last_maps.
                cells = graph.add("AveragePool", maps, kernel_shape=[3, 3], strides=[2, 2])
                layers = {"units": linear, "maps": _flattened(graph, cells)}
    return layers


def _flattened(graph: "_Graph", maps: str) -> str:
    return graph.add("Flatten", graph.add("Transpose", maps, perm=[0, 2, 3, 1]), axis=1)


def _views(graph: "_Graph", layer: str, flip: bool) -> Sequence[str]:
    """The images' part of a layer, and that of their mirror images."""
    return graph.add_all("Split", [layer], 2, axis=0) if flip else [layer]


def _transformed(graph: "_Graph", found: str, transform: FeatureTransform, name: str) -> str:
    """Add the steps of a fitted transform, as transforms._apply has them."""
    for step, constants in transform.steps_:
        known = {key: graph.constant(f"{name}.{step}.{key}", value) for key, value in constants.items()}
        if step == "centre":
            found = graph.add("Sub", found, known["centre"])
        elif step == "whiten":
            found = graph.add("MatMul", found, known["matrix"])
        elif step == "standardise":
            found = graph.add("Div", graph.add("Sub", found, known["centre"]), known["scale"])
        elif step == "power":
            found = graph.add("Mul", graph.add("Sign", found), graph.add("Sqrt", graph.add("Abs", found)))
        else:
            assert step == "unit", step
            length = graph.add("ReduceL2", found, axes=[1])
            # A row of zeros has no length to divide by.
            found = graph.add(
                "Div", found, graph.add("Max", length, graph.constant("least", np.array(1e-30, np.float32)))
            )
    return found


class _Graph:
    """Nodes in order, and constants by name."""

    def __init__(self):
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant, unless it is there; return its name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name)
        return name

    def add(self, kind: str, *inputs: str, **attributes) -> str:
        """Add a node with one output; return the output's name."""
        return self.add_all(kind, inputs, 1, **attributes)[0]

    def add_all(self, kind: str, inputs: Sequence[str], outputs: int, **attributes) -> list[str]:
        """Add a node; return the names of its outputs."""
        name = f"{kind.lower()}{len(self.nodes)}"
        names = [name, *(f"{name}.{number}" for number in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, inputs, names, name, **attributes))
        return names
