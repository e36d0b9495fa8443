"""Small nets of both kinds with random weights, in files as Keras writes them."""

from pathlib import Path

import h5py
import numpy as np

SHAPES = {
    "6-class": {
        "conv1": (3, 3, 3, 4),
        "conv2": (3, 3, 4, 4),
        "conv3": (3, 3, 4, 5),
        "conv4": (3, 3, 5, 5),
        "conv5": (3, 3, 5, 6),
        "representation": (8 * 8 * 6, 7),
        "logits": (7, 6),
    },
    "siamese-2d": {"conv1": (3, 3, 1, 4), "conv2": (4, 4, 4, 5), "embedding": (7 * 7 * 5, 2)},
}


def write(name: str, path: Path) -> dict[str, list[np.ndarray]]:
    """Write the weights of a made-up net; return them by layer."""
    rng = np.random.default_rng(0)
    made = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for number, (layer, shape) in enumerate(SHAPES[name].items()):
            fan = np.prod(shape[:-1])
            made[layer] = [
                (rng.normal(size=shape) / np.sqrt(fan)).astype(np.float32),
                rng.normal(size=shape[-1]).astype(np.float32),
            ]
            group = file.create_group(f"layers/{number}/vars")
            group.attrs["name"] = layer
            group["0"], group["1"] = made[layer]
    return made
