"""One-shot classification of the unseen CIFAR-10 classes: the report's protocol, and more."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from oneshot.datasets import cifar10
from oneshot.evaluation.confusion import accuracy, accuracy_metrics, by_class
from oneshot.evaluation.methods import CHOSEN, METHODS
from oneshot.page import charts, reported
from oneshot.page.metrics import PROTOCOL
from oneshot.page.results import Results
from oneshot.page.sections.beside import row
from oneshot.page.spread import gain_text, value_text
from oneshot.page.studies import Table


def section(results: Results) -> dict:
    """Compute "few_shot", "one_shot" (its parameters, and "shots" in the order shown), "report_second_run", "methods"
    (how many), "chosen" (the row of the CHOSEN transform with the fewest examples; None if it was not measured),
    the table "together" of the transductive methods if there are any, and the charts of accuracies and confusions. The
    mean over all classes and "chosen" have their "mean" over trainings.
    """
    confusions, names, table = results.protocol.confusions, results.unseen_names, results.methods
    here = by_class(confusions, names).to_dict("records")
    comparable = reported.same_task(results.params["cifar10"])
    theirs = _reported(results, reported.ACCURACY)
    ours = [found["accuracy"] for found in here], [found["interval_95"] for found in here]
    reported_names = [cifar10.NAMES[label] for label in reported.CONFUSION_LABELS]
    settings = [
        (f"{found['shots']}-shot", METHODS[found["method"]].label, found["accuracy"], found["interval_95"])
        for found in table.to_dict("records")
    ]
    return {
        "charts": {
            "accuracy": charts.bars(names, {"report": (theirs, None), "here": ours}, "accuracy"),
            "confusion-report": charts.confusion(np.array(reported.CONFUSION), reported_names),
            "confusion-here": charts.confusion(confusions.sum(0), names),
            "methods": charts.methods(settings),
        },
        "few_shot": {
            "accuracy": _accuracies(results, here),
            "recall": _shares(results, here, "recall", reported.RECALL),
            "precision": _shares(results, here, "precision", reported.PRECISION),
            "comparable": comparable,
            "classes": names,
            "report_classes": reported_names,
        },
        "one_shot": {**results.params["one_shot"], "shots": sorted(results.params["one_shot"]["shots"])},
        "report_second_run": float(accuracy(np.array(reported.CONFUSION))),
        "methods": table["method"].nunique(),
        "chosen": _chosen(results),
        "tables": {"together": _together(results.together)} if len(results.together) else {},
    }


def _reported(results: Results, values: Mapping[int, float]) -> list[float | None]:
    """The report's values of the unseen classes, by label; None if the classes are not the report's."""
    comparable = reported.same_task(results.params["cifar10"])
    return [values[label] if comparable else None for label in results.unseen_classes]


def _accuracies(results: Results, here: Sequence[Mapping]) -> list[dict]:
    """A row per class, and their mean, which has its "mean" over trainings."""
    theirs = _reported(results, reported.ACCURACY)
    rows = [
        row(found["class"], report, found["accuracy"], found["interval_95"])
        for report, found in zip(theirs, here, strict=True)
    ]
    overall = accuracy_metrics(results.protocol.confusions)
    known = [value for value in theirs if value is not None]
    mean = row("mean", sum(known) / len(known) if known else None, overall["accuracy"], overall["interval_95"])
    return [*rows, mean | {"mean": results.mean_with_others(*PROTOCOL[:2], overall["accuracy"])}]


def _shares(results: Results, here: Sequence[Mapping], kind: str, report: Mapping[int, float]) -> list[dict]:
    """A row per class; a class that was never predicted has no precision."""
    return [
        row(found["class"], theirs, None if np.isnan(found[kind]) else found[kind])
        for theirs, found in zip(_reported(results, report), here, strict=True)
    ]


def _together(table: pd.DataFrame) -> Table:
    rows = [
        (
            *(METHODS[row["method"]].label, row["shots"], value_text(row["accuracy"], row["interval_95"])),
            gain_text(row["gain_over_inductive"], row["gain_interval_95"]),
        )
        for row in table.to_dict("records")
    ]
    return Table(("features", "shots", "accuracy", "gain over one by one, points"), rows)


def _chosen(results: Results) -> dict | None:
    table = results.methods
    found = table.loc[(table["method"] == CHOSEN) & (table["shots"] == table["shots"].min())].to_dict("records")
    if not found:
        return None
    key = f"episodes.shot_{found[0]['shots']}.{CHOSEN}.accuracy"
    mean = results.mean_with_others("one_shot_cifar10", key, found[0]["accuracy"])
    return found[0] | {"label": METHODS[CHOSEN].label, "mean": mean}
