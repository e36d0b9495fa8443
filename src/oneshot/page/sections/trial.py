"""Sets of images for which the reader chooses the examples: the unseen classes and the unseen digits."""

import base64
from collections.abc import Mapping, Sequence

import numpy as np

from oneshot.datasets import cifar10, mnist
from oneshot.evaluation import transforms
from oneshot.page.nearest import quantize
from oneshot.page.results import Results
from oneshot.page.sections import drawing
from oneshot.page.sections.digits import pictured_digits
from oneshot.page.sections.projections import pictured
from oneshot.plotting.palette import COLOURS

# Images of each class, and how many of them can be chosen as its example.
_IMAGES, _CHOICES = 100, 24


def section(results: Results) -> dict:
    """Compute "sets", which the page's script reads, as `unpack` does."""
    features, labels, _ = results.unseen()
    chosen = pictured(results)
    tiles = _few(labels[chosen], results.unseen_classes)
    count = len(results.unseen_classes)
    title = f"CIFAR-10: {count} classes that the net never saw"
    codes = quantize(features[chosen[tiles]])
    sets = [pack(title, "cifar10", codes, labels[chosen[tiles]], tiles, "unseen", cifar10.NAMES)]
    digits = results.params["mnist"]["unseen_digits"]
    data = results.features[drawing.NET]
    shown, start = pictured_digits(results)["unseen"]
    labels = data["labels"][shown]
    tiles = _few(labels, digits)
    title = f"MNIST: {len(digits)} digits that the net never saw"
    maps, seen = ({"maps": data[name][None]} for name in ("maps", "seen_maps"))
    vectors = transforms.transform_features("maps_whitened", maps, seen, data["seen_labels"])[shown[tiles]]
    sets.append(pack(title, "mnist", quantize(vectors), labels[tiles], tiles + start, "digits", mnist.NAMES))
    return {"sets": sets}


def pack(
    name: str,
    key: str,
    codes: np.ndarray,
    labels: np.ndarray,
    tiles: Sequence[int] | np.ndarray,
    sheet: str,
    names: Sequence[str],
) -> dict:
    """Pack a set of images for the page's script.

    codes: (n, d) uint8; labels: (n,) integers, grouped by class; tiles: (n,) positions in the sheet; names:
    of each label.
    """
    classes = list(dict.fromkeys(labels.tolist()))
    return {
        "name": name,
        "key": key,
        "sheet": sheet,
        "classes": [{"label": label, "name": names[label], "colour": COLOURS[label]} for label in classes],
        "labels": [classes.index(label) for label in labels.tolist()],
        "choices": [np.flatnonzero(labels == label)[:_CHOICES].tolist() for label in classes],
        "tiles": [int(tile) for tile in tiles],
        "dimensions": codes.shape[1],
        "codes": base64.b64encode(codes.tobytes()).decode(),
    }


def unpack(packed: Mapping) -> np.ndarray:
    """Read the representations of a packed set as the page's script does: (n, d) uint8."""
    codes = np.frombuffer(base64.b64decode(packed["codes"]), np.uint8)
    return codes.reshape(-1, packed["dimensions"])


def _few(labels: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Positions of the first images of each class."""
    return np.concatenate([np.flatnonzero(labels == label)[:_IMAGES] for label in classes])
