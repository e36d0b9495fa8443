"""What the results stand beside: other ways to get features, other ways to classify, other unseen classes."""

import pandas as pd

from oneshot.evaluation.methods import METHODS
from oneshot.page.results import Results

# What the page calls the ways of the study `baselines`.
ARMS = {
    "pixels": "raw pixels",
    "random": "the net with random weights",
    "plain": "cross-entropy alone",
    "default": "the default recipe",
    "cosine": "cosine head (Gidaris & Komodakis 2018)",
    "supcon": "supervised contrastive loss (Khosla et al. 2020)",
    "prototypical": "prototypical networks (Snell et al. 2017)",
}
DIGITS = {"pixels": "raw pixels", "random": "random weights", "classifier": "classifier", "siamese": "siamese net"}
ARMS |= {f"digits-{arm}": f"digits: {name}" for arm, name in DIGITS.items()}


def section(results: Results) -> dict:
    """Compute the rows "baselines", "other_methods" and "class_splits", each empty if its study has not run."""
    return {
        "baselines": _by_shots(results.baselines, ["arm", "method"]),
        "other_methods": _by_shots(results.other_methods, ["library", "method", "transductive"]),
        "class_splits": [row | {"method": _name(row["method"])} for row in results.class_splits.to_dict("records")],
    }


def _name(found: str) -> str:
    """What the page calls a way to get features, or a method: "soft k-means, cl2n" is that with a transform."""
    before, comma, method = found.rpartition(", ")
    return f"{before}{comma}{METHODS[method].label}" if method in METHODS else ARMS.get(found, found)


def _by_shots(table: pd.DataFrame, keys: list[str]) -> list[dict]:
    """One row for each value of `keys`, in the table's order: these and "cells", (accuracy, interval_95) by shots."""
    rows: dict[tuple, dict] = {}
    for row in table.to_dict("records"):
        key = tuple(row[name] for name in keys)
        shown = {name: _name(row[name]) if isinstance(row[name], str) else row[name] for name in keys}
        found = rows.setdefault(key, {**shown, "cells": {}})
        found["cells"][row["shots"]] = row["accuracy"], None if pd.isna(row["interval_95"]) else row["interval_95"]
    return list(rows.values())
