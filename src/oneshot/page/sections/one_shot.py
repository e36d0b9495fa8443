"""One-shot classification of the unseen CIFAR-10 classes: the report's protocol, and more."""

import numpy as np

from oneshot.datasets import cifar10
from oneshot.evaluation.confusion import accuracy, accuracy_metrics, by_class
from oneshot.evaluation.methods import CHOSEN, METHODS
from oneshot.page import charts, reported
from oneshot.page.metrics import PROTOCOL
from oneshot.page.results import Results
from oneshot.page.sections.beside import row


def section(results: Results) -> dict:
    """Compute "few_shot", "one_shot" (its parameters, and "shots" in the order shown), "report_second_run", "methods"
    (how many), "chosen" (the row of the CHOSEN transform with the fewest examples; None if it was not measured),
    "together" (rows of the transductive methods), and the charts of accuracies and confusions. The mean over all
    classes and "chosen" have their "mean" over trainings.
    """
    classes, names = results.unseen_classes, results.unseen_names
    confusions = results.protocol.confusions
    here = by_class(confusions, names).to_dict("records")
    overall = accuracy_metrics(confusions)
    comparable = reported.same_task(results.params["cifar10"])
    first = [reported.ACCURACY[label] if comparable else None for label in classes]
    mean = sum(reported.ACCURACY.values()) / len(reported.ACCURACY) if comparable else None
    rows = [
        row(name, report, found["accuracy"], found["interval_95"])
        for name, report, found in zip(names, first, here, strict=True)
    ]
    all_classes = row("mean", mean, overall["accuracy"], overall["interval_95"])
    rows.append(all_classes | {"mean": results.mean_with_others(*PROTOCOL[:2], overall["accuracy"])})
    details = {
        kind: [
            # A class that was never predicted has no precision.
            row(name, report[label] if comparable else None, None if np.isnan(found[kind]) else found[kind])
            for name, label, found in zip(names, classes, here, strict=True)
        ]
        for kind, report in (("recall", reported.RECALL), ("precision", reported.PRECISION))
    }
    ours = [found["accuracy"] for found in here], [found["interval_95"] for found in here]
    reported_names = [cifar10.NAMES[label] for label in reported.CONFUSION_LABELS]
    table = results.methods
    settings = [
        (f"{shots}-shot", METHODS[method].label, value, interval)
        for shots, method, value, interval in zip(
            table["shots"], table["method"], table["accuracy"], table["interval_95"], strict=True
        )
    ]
    found = table.loc[(table["method"] == CHOSEN) & (table["shots"] == table["shots"].min())].to_dict("records")
    chosen = found[0] if found else None
    if chosen is not None:
        key = f"episodes.shot_{chosen['shots']}.{chosen['method']}.accuracy"
        chosen |= {"label": METHODS[CHOSEN].label}
        chosen |= {"mean": results.mean_with_others("one_shot_cifar10", key, chosen["accuracy"])}
    return {
        "charts": {
            "accuracy": charts.bars(names, {"report": (first, None), "here": ours}, "accuracy"),
            "confusion-report": charts.confusion(np.array(reported.CONFUSION), reported_names),
            "confusion-here": charts.confusion(confusions.sum(0), names),
            "methods": charts.methods(settings),
        },
        "few_shot": {
            "accuracy": rows,
            **details,
            "comparable": comparable,
            "classes": names,
            "report_classes": reported_names,
        },
        "one_shot": {**results.params["one_shot"], "shots": sorted(results.params["one_shot"]["shots"])},
        "report_second_run": float(accuracy(np.array(reported.CONFUSION))),
        "methods": table["method"].nunique(),
        "chosen": chosen,
        "together": [row | {"label": METHODS[row["method"]].label} for row in results.together.to_dict("records")],
    }
