"""Draw it yourself: the siamese net with two dimensions, for the page's script, and how well it does.

The last maps, whitened, classify drawings far better than the embedding in the plane, which is drawn too.
"""

import base64
from collections.abc import Mapping

import numpy as np

from oneshot.evaluation import transforms
from oneshot.page.results import Results

NET = "siamese-2d"


def section(results: Results) -> dict:
    """Compute "drawing" (how often unseen digits, and letters, are classified correctly) and "net" (see `pack`)."""
    unseen = results.metrics[f"one_shot_mnist/{NET}"]["unseen"]
    shots = min(int(key.removeprefix("shot_")) for key in unseen)
    ways = len(results.params["mnist"]["unseen_digits"])
    accuracy = unseen[f"shot_{shots}"]["maps_whitened"]["accuracy"]
    drawings = results.study("drawings").to_dict("records")
    asked = {"set": "letters A-E", "paper": "clean", "features": f"{NET} maps_whitened", "shots": shots}
    letters = next((row["accuracy"] for row in drawings if asked.items() <= row.items()), None)
    seen = results.features[NET]
    return {
        "drawing": {"shots": shots, "accuracy": accuracy, "ways": ways, "chance": 1 / ways, "letters": letters},
        "net": pack({**results.drawing_net, **whitening(seen["seen_maps"], seen["seen_labels"])}),
    }


def whitening(maps: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What the script whitens last maps by: their mean, and the lower triangle, row by row, of a matrix that is one.

    maps: (n, d) float32, of seen digits; labels: (n,).
    """
    matrix = transforms.whitening_matrix(maps, labels, transforms.SHRINKAGE)
    return {"maps.mean": maps.mean(0, dtype=np.float64), "maps.whitening": matrix[np.tril_indices(len(matrix))]}


def pack(weights: Mapping[str, np.ndarray]) -> dict:
    """Pack the constants of a net, as its ONNX file has them: {name: {"shape", "step", "values" in base64}}.

    Values are float32 with step 1, or, of what has more than 100,000, int16 in units of `step`: half as many bytes.

    The scaling of the pixels is left out: the script's drawings are from 0 to 1 already.
    """
    packed = {}
    for name, array in weights.items():
        if name in ("scale", "offset"):
            continue
        step = float(np.abs(array).max() / 32767) if array.size > 100_000 else 1
        values = array.astype("<f4") if step == 1 else np.rint(array / step).astype("<i2")
        encoded = base64.b64encode(values.tobytes()).decode()
        packed[name] = {"shape": list(array.shape), "step": step, "values": encoded}
    return packed


def unpack(entry: Mapping) -> np.ndarray:
    """Read a packed constant as the page's script does, float32."""
    kind = "<f4" if entry["step"] == 1 else "<i2"
    return (np.frombuffer(base64.b64decode(entry["values"]), kind) * np.float32(entry["step"])).reshape(entry["shape"])
