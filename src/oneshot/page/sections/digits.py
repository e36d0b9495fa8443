"""The digit nets: their embeddings and metrics."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from oneshot.datasets import mnist
from oneshot.evaluation.confusion import error_shares, from_table
from oneshot.evaluation.episodes import choose_images
from oneshot.nets.table import DENSE, SIAMESE
from oneshot.page import charts, reported
from oneshot.page.results import EMBEDDINGS, Results
from oneshot.page.sheets import sheet
from oneshot.page.spread import value_text
from oneshot.page.studies import Table


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
    """Compute the charts "NET-seen" and "NET-unseen", the sheet "digits", "digits", and the tables."""
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
        (f"{EMBEDDINGS[net]}: {group} digits", *(value_text(found[key]) for key in ("loss", "accuracy", "auc")))
        for net in SIAMESE
        for group in ("seen", "unseen")
        for found in [results.metrics[f"train_siamese/{net}"][group]["test"]]
    ]
    dense = [
        (EMBEDDINGS[net], value_text(found["loss"]), value_text(found["accuracy"]))
        for net in DENSE
        for found in [results.metrics[f"train_dense_embedding/{net}"]["test"]]
    ]
    confusion = {name: results.confusion[net] for net, name in EMBEDDINGS.items()}
    first = next(iter(confusion.values()))
    return {
        "digits": {group: results.params["mnist"][f"{group}_digits"] for group in ("seen", "unseen")},
        "confused_shots": int(first.loc[first["part"] == "all", "shots"].iloc[0]),
        "tables": {
            "siamese_pairs": Table(("net and digits", "loss", "accuracy", "AUC"), pairs),
            "dense": Table(("net", "loss", "accuracy"), dense),
            "one_shot_digits": _one_shot(results.metrics),
            "confused_digits": confused_table(confusion),
        },
    }


def _one_shot(metrics: Mapping[str, Mapping]) -> Table:
    rows = []
    for net, name in EMBEDDINGS.items():
        found = metrics[f"one_shot_mnist/{net}"]
        for shots in sorted(int(key.removeprefix("shot_")) for key in found["all"]):
            values = [found[group][f"shot_{shots}"]["accuracy"] for group in ("seen", "all", "unseen")]
            maps = found["unseen"][f"shot_{shots}"].get("maps_whitened", {"accuracy": None})
            rows.append((name, shots, *map(value_text, [*values, maps["accuracy"]])))
    columns = ("seen digits", "all digits", "unseen digits", "unseen digits, last feature maps")
    return Table(("net", "shots", *columns), rows)


def confused_table(confusion: Mapping[str, pd.DataFrame]) -> Table:
    """The two pairs of digits that each net confuses most, and the report's pairs; confusion: tables by net."""
    rows = []
    for net, table in confusion.items():
        main, theirs = confused_digits(table)
        shares = (None if share is None else f"{share:.0%}" for share in theirs.values())
        rows.append((net, *(f"{pair} ({share:.0%})" for pair, share in main), *shares))
    pairs = [f"{a} with {b}" for a, b in reported.CONFUSED_DIGITS]
    return Table(("net", "first", "second", *pairs), rows)


def confused_digits(table: pd.DataFrame) -> tuple[list[tuple[str, float]], dict[str, float | None]]:
    """The two most confused pairs of all digits, and the report's pairs, with their shares of all errors.

    table: a digit net's confusion table. A pair of digits that the run does not have has the share None.
    """
    matrix, names = from_table(table.loc[table["part"] == "all"])
    shares = {f"{names[a]} with {names[b]}": share for a, b, share in error_shares(matrix)}
    theirs = (f"{a} with {b}" for a, b in reported.CONFUSED_DIGITS)
    return list(shares.items())[:2], {pair: shares.get(pair) for pair in theirs}
