"""The first episode of the report's protocol: the examples, their representations and distances."""

import numpy as np

from oneshot.evaluation.confusion import accuracy
from oneshot.page import charts
from oneshot.page.results import Results
from oneshot.page.sheets import sheet


def section(results: Results) -> dict:
    """Compute "episode", the chart "vectors" and the sheet "examples"."""
    features, _, indices = results.unseen()
    draws = results.protocol
    supports = draws.pool[draws.support[0, :, 0]]
    classes, names = results.unseen_classes, results.unseen_names
    return {
        "charts": {"vectors": charts.vectors(features[supports], names)},
        "sheets": {"examples": sheet(results.cifar10.images[indices[supports]], len(supports))},
        "episode": {
            "names": names,
            "labels": classes,
            "accuracy": float(accuracy(draws.confusions[0])),
            "queries": int(draws.confusions[0].sum()),
            "distances": _distances(features[supports]).tolist(),
        },
    }


def _distances(features: np.ndarray) -> np.ndarray:
    features = features.astype(np.float64)
    return np.sqrt(((features[:, None] - features) ** 2).sum(-1)).round(6)
