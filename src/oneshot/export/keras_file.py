"""A net as a .keras file, which Keras 3 loads under any of its backends; the same bytes each time.

The file is a ZIP archive of the model's configuration (JSON) and its weights (HDF5). It is written directly: Keras
would put today's date into it, and takes ten seconds to start.
"""

import io
import json
import zipfile
from collections import Counter
from importlib.metadata import version

import h5py

from oneshot.export.nets import Layer, Net

# The oldest date that a ZIP archive can hold.
_DATE = (1980, 1, 1, 0, 0, 0)
# Keras's class of each kind of layer, and the name of its group in the weights.
_CLASSES = {
    "conv": ("Conv2D", "conv2d"),
    "pool": ("MaxPooling2D", "max_pooling2d"),
    "flatten": ("Flatten", "flatten"),
    "dense": ("Dense", "dense"),
    "dense_relu": ("Dense", "dense"),
}


def encode(net: Net) -> bytes:
    """Write a net as the bytes of a .keras file: (n, height, width, channels) uint8 -> (n, units) float32."""
    members = {
        "metadata.json": json.dumps({"keras_version": version("keras")}).encode(),
        "config.json": json.dumps(_config(net)).encode(),
        "model.weights.h5": _weights(net),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _DATE)
            # Else the archive notes the system that it was written on.
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _config(net: Net) -> dict:
    shape = [None, *net.shape]
    scaling = {"name": "scaling", "scale": net.scale.tolist(), "offset": net.offset.tolist()}
    layers = [
        _object("InputLayer", {"name": "images", "batch_shape": shape, "dtype": "uint8"}, "keras.layers"),
        _object("Rescaling", scaling, "keras.layers"),
        *(_object(_CLASSES[layer.kind][0], _layer_config(layer), "keras.layers") for layer in net.layers),
    ]
    return _object("Sequential", {"name": net.name, "layers": layers, "build_input_shape": shape}, "keras")


def _layer_config(layer: Layer) -> dict:
    config = {"name": layer.name}
    if layer.kind == "conv":
        rows, columns, _, filters = layer.kernel.shape
        config |= {"filters": filters, "kernel_size": [rows, columns], "padding": "same", "activation": "relu"}
    elif layer.kind == "pool":
        config |= {"pool_size": [2, 2], "strides": [2, 2]}
    elif layer.kind.startswith("dense"):
        config |= {"units": len(layer.bias), "activation": "relu" if layer.kind == "dense_relu" else "linear"}
    return config


def _object(name: str, config: dict, module: str) -> dict:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _weights(net: Net) -> bytes:
    buffer, used = io.BytesIO(), Counter()
    with h5py.File(buffer, "w") as file:
        file.create_group("vars")
        file.create_group("layers/rescaling/vars")
        for layer in net.layers:
            group = _CLASSES[layer.kind][1]
            number = f"_{used[group]}" if used[group] else ""
            used[group] += 1
            place = file.create_group(f"layers/{group}{number}/vars")
            if layer.kernel.size:
                place["0"], place["1"] = layer.kernel, layer.bias
    return buffer.getvalue()
