"""Draw it yourself: the siamese net with two dimensions, for the page's script, and how well it does."""

import base64
from collections.abc import Mapping

import numpy as np

from oneshot.page.results import Results

NET = "siamese-2d"


def section(results: Results) -> dict:
    """Compute "drawing" (how often unseen digits are classified correctly) and "net" (its weights, see `pack`)."""
    unseen = results.metrics[f"one_shot_mnist/{NET}"]["unseen"]
    shots = min(int(key.removeprefix("shot_")) for key in unseen)
    ways = len(results.params["mnist"]["unseen_digits"])
    accuracy = unseen[f"shot_{shots}"]["accuracy"]
    return {
        "drawing": {"shots": shots, "accuracy": accuracy, "ways": ways, "chance": 1 / ways},
        "net": pack(results.drawing_net),
    }


def pack(weights: Mapping[str, np.ndarray]) -> dict:
    """Pack the kernels and biases of a net, as its ONNX file has them: {name: {"shape", "values": float32 in base64}}.

    The scaling of the pixels is left out: the script's drawings are from 0 to 1 already.
    """
    return {
        name: {"shape": list(array.shape), "values": base64.b64encode(array.astype("<f4").tobytes()).decode()}
        for name, array in weights.items()
        if name.endswith((".kernel", ".bias"))
    }
