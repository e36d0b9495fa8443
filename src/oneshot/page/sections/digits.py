"""The digit nets: their embeddings and metrics."""

import numpy as np
import pandas as pd

from oneshot.datasets import mnist
from oneshot.evaluation.confusion import error_shares, from_table
from oneshot.evaluation.episodes import choose_images
from oneshot.nets.table import DENSE, SIAMESE
from oneshot.page import charts, reported
from oneshot.page.results import EMBEDDINGS, Results
from oneshot.page.sheets import sheet


def pictured_digits(results: Results) -> dict[str, tuple[np.ndarray, int]]:
    """Choose the test images of the scatter plots as the stage one_shot_mnist does, the same for each net.

    Returns {"seen": (positions (n,), position of the first one in the sheet "digits"), "unseen": ...}.
    """
    params = results.params
    labels = results.features[next(iter(EMBEDDINGS))]["labels"]
    found, start = {}, 0
    for group in ("seen", "unseen"):
        count, digits = params["pictures"]["images_per_class"], params["mnist"][f"{group}_digits"]
        chosen = choose_images(labels, digits, count, params["seed"], "pictures")
        found[group] = chosen, start
        start += len(chosen)
    return found


def section(results: Results) -> dict:
    """Compute the charts "NET-seen" and "NET-unseen", the sheet "digits", "digits", and the tables of metrics."""
    drawn = {}
    shown = pictured_digits(results)
    for net in EMBEDDINGS:
        data = results.features[net]
        for group, (chosen, start) in shown.items():
            points, labels = data["embeddings"][chosen], data["labels"][chosen]
            axes = [f"{axis} (no unit)" for axis in "xyz"[: points.shape[1]]]
            drawn[f"{net}-{group}"] = charts.scatter(
                points, labels, mnist.NAMES, axes, range(start, start + len(chosen))
            )
    indices = results.features[next(iter(EMBEDDINGS))]["indices"]
    pictures = [results.mnist.images[indices[chosen]] for chosen, _ in shown.values()]
    return {"charts": drawn, "sheets": {"digits": sheet(np.concatenate(pictures), 50)}, **_tables(results)}


def _tables(results: Results) -> dict:
    pairs = [
        {"name": f"{EMBEDDINGS[net]}: {group} digits", **results.metrics[f"train_siamese/{net}"][group]["test"]}
        for net in SIAMESE
        for group in ("seen", "unseen")
    ]
    dense = [{"name": EMBEDDINGS[net], **results.metrics[f"train_dense_embedding/{net}"]["test"]} for net in DENSE]
    one_shot = []
    for net, name in EMBEDDINGS.items():
        metrics = results.metrics[f"one_shot_mnist/{net}"]
        for shots in sorted(int(key.removeprefix("shot_")) for key in metrics["all"]):
            values = {group: metrics[group][f"shot_{shots}"]["accuracy"] for group in ("seen", "unseen", "all")}
            maps = metrics["unseen"][f"shot_{shots}"].get("maps_whitened", {"accuracy": None})
            one_shot.append({"name": name, "shots": shots, "maps": maps["accuracy"], **values})
    confused = [{"name": name, **_confused(results.confusion[net])} for net, name in EMBEDDINGS.items()]
    return {
        "digits": {group: results.params["mnist"][f"{group}_digits"] for group in ("seen", "unseen")},
        "siamese_pairs": pairs,
        "dense": dense,
        "one_shot_digits": one_shot,
        "confused_digits": confused,
    }


def confused_digits(table: pd.DataFrame) -> tuple[list[tuple[str, float]], dict[str, float | None]]:
    """The two most confused pairs of all digits, and the report's pairs, with their shares of all errors.

    table: a digit net's confusion table. A pair of digits that the run does not have has the share None.
    """
    matrix, names = from_table(table.loc[table["part"] == "all"])
    shares = {f"{names[a]} with {names[b]}": share for a, b, share in error_shares(matrix)}
    theirs = (f"{a} with {b}" for a, b in reported.CONFUSED_DIGITS)
    return list(shares.items())[:2], {pair: shares.get(pair) for pair in theirs}


def _confused(table: pd.DataFrame) -> dict:
    main, theirs = confused_digits(table)
    shots = int(table.loc[table["part"] == "all", "shots"].iloc[0])
    listed = [{"pair": pair, "share": share} for pair, share in main]
    return {"shots": shots, "main": listed, "report": list(theirs.values())}
