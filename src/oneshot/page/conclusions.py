"""Five points that sum up what was measured; the page ends with them, and docs/results.md begins.

The report's last slide, "Conclusions", is empty. Every number and name here comes from the results, so the points
change with them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from oneshot.datasets import cifar10
from oneshot.evaluation.confusion import accuracy, error_shares, from_table
from oneshot.evaluation.methods import CHOSEN, METHODS
from oneshot.nets.table import DRAWINGS, SIAMESE
from oneshot.page import reported
from oneshot.page.metrics import PROTOCOL, name_of
from oneshot.page.results import EMBEDDINGS
from oneshot.page.spread import Mean, gain_text, mean_with

_SIMPLE = "cl2n"
_TRANSFORM = f"the transform that was chosen on folds of the seen classes ({METHODS[CHOSEN].label} test-time averaging)"


def sentences(
    params: Mapping,
    metrics: Mapping[str, Mapping],
    methods: pd.DataFrame,
    together: pd.DataFrame,
    confusion: Mapping[str, pd.DataFrame],
    seeds: pd.DataFrame,
    class_splits: pd.DataFrame,
) -> list[str]:
    """Write the sentences: what is reached, what the chosen and the simplest transform give, what unlabelled
    queries add, what is confused. "±" is the half-width of a 95% interval.

    params: all parameters; metrics: by path below metrics/ without .json; methods, together: tables of
    few_shot.compare_methods and of compare_transductive; confusion: the confusion tables of "one_shot_cifar10" and of
    each digit net; seeds, class_splits: these tables of research/tables, or empty ones.
    """
    matrix, names = from_table(confusion["one_shot_cifar10"])
    comparable = reported.same_task(params["cifar10"])
    protocol = metrics["one_shot_cifar10"]["report_protocol"]
    mean = mean_with(seeds, name_of(*PROTOCOL[:2]), params["seed"], protocol["accuracy"])
    siamese = {net: metrics[f"one_shot_mnist/{net}"]["unseen"] for net in SIAMESE}
    digits = {net: confusion[net] for net in DRAWINGS}
    return [
        f"{_reached(protocol, names, mean, comparable=comparable)}{_choice(class_splits) if comparable else ''}",
        f"{_chosen(methods)} {_on_digits(siamese)}",
        _more_examples(methods),
        _unlabelled(together),
        f"{_confused_classes(matrix, names, comparable=comparable)} {_confused_digits(digits)}",
    ]


def _reached(protocol: Mapping[str, float], names: Sequence[str], mean: Mean | None, *, comparable: bool) -> str:
    parts = [
        f"From one example of each of {len(names)} classes that the net never saw, raw features classify"
        f" {protocol['accuracy']:.1%} of the images correctly by the report's protocol (±"
        f" {100 * protocol['interval_95']:.1f} points over episodes); chance is {1 / len(names):.0%}."
    ]
    if mean:
        points = 100 * mean.interval_95
        parts.append(
            f"The mean of {mean.trainings} trainings is {mean.mean:.1%} (± {points:.1f} points over trainings)."
        )
    if comparable:
        first, second = float(np.mean(list(reported.ACCURACY.values()))), accuracy(np.array(reported.CONFUSION))
        parts.append(f"The report's two runs gave {first:.1%} and {second:.1%}.")
    return " ".join(parts)


def _choice(splits: pd.DataFrame) -> str:
    """Say where the report's choice of the unseen classes lies among random ones; nothing without the study."""
    found = splits.to_dict("records")[:1]
    return "".join(
        f" Narrow nets show how much depends on the choice of these classes: {row['given']:.1%}, rank {row['rank']} of"
        f" {row['splits'] + 1} (1 is the easiest), where random choices give {row['mean']:.1%} on average."
        for row in found
    )


def _chosen(methods: pd.DataFrame) -> str:
    found = _by_shots(methods, CHOSEN, "gain_over_raw")
    if not found:
        return f"In random episodes, {_TRANSFORM} was not measured."
    return f"In random episodes, {_TRANSFORM} gives {_and(found)}: gains in points over raw features, ± over episodes."


def _on_digits(siamese: Mapping[str, Mapping]) -> str:
    found, fewest = [], 0
    for net, metrics in siamese.items():
        fewest = min(int(key.removeprefix("shot_")) for key in metrics)
        values = metrics[f"shot_{fewest}"]
        whitened = values["maps_whitened"]["accuracy"]
        found.append(f"{whitened:.1%} for the {EMBEDDINGS[net]} (its embedding: {values['accuracy']:.1%})")
    return f"With {_examples(fewest)} of each unseen digit, the whitened last feature maps give {_and(found)}."


def _more_examples(methods: pd.DataFrame) -> str:
    raw = methods.loc[methods["method"] == "raw"].sort_values("shots")
    first, last = raw.iloc[0], raw.iloc[-1]
    more = ""
    if len(raw) > 1:
        gain = 100 * (last["accuracy"] - first["accuracy"])
        more = f"With raw features, {last['shots']} examples instead of {first['shots']} gain {gain:+.1f} points."
    found = _by_shots(methods, _SIMPLE, "gain_over_raw")
    simple = f"The simplest transform, {METHODS[_SIMPLE].label} of SimpleShot, gives {_and(found)}." if found else ""
    return " ".join(filter(None, [more, simple])) or "Only one number of examples was measured."


def _unlabelled(together: pd.DataFrame) -> str:
    found = _by_shots(together, CHOSEN, "gain_over_inductive")
    if not found:
        return f"Classifying all queries of an episode together was not measured with {_TRANSFORM}."
    return (
        "If all queries of an episode are classified together (transductive), which is another task, soft k-means with"
        f" the same transform gives {_and(found)}: gains in points over the same features query by query, ± over"
        " episodes. It uses that all classes have equally many queries, which these episodes guarantee."
    )


def _confused_classes(matrix: np.ndarray, names: Sequence[str], *, comparable: bool) -> str:
    pairs = error_shares(matrix)
    theirs = {}
    labels = [cifar10.NAMES.index(name) for name in names]
    if comparable and labels == list(reported.CONFUSION_LABELS):
        theirs = {(a, b): f"; report: {share:.0%}" for a, b, share in error_shares(np.array(reported.CONFUSION))}
    shown = [
        f"{names[a]} with {names[b]} ({share:.0%} of all errors{theirs.get((a, b), '')})" for a, b, share in pairs[:2]
    ]
    return f"The most frequent errors are {_and(shown)}; {_equally(len(pairs))}."


def _confused_digits(digits: Mapping[str, pd.DataFrame]) -> str:
    found = []
    number = 0
    for a, b in reported.CONFUSED_DIGITS:
        shares = []
        for table in digits.values():
            matrix, names = from_table(table.loc[table["part"] == "all"])
            pairs = error_shares(matrix)
            shares += [share for x, y, share in pairs if (names[x], names[y]) == (str(a), str(b))]
            number = len(pairs)
        if shares:
            found.append(f"{min(shares):.0%} to {max(shares):.0%} ({a} with {b})")
    if not found:
        return "The digits that the report finds confused are not among these."
    return (
        f"On digits, the pairs that the report names are {_and(found)} of all errors, depending on the net;"
        f" {_equally(number)}."
    )


def _equally(pairs: int) -> str:
    return f"if all pairs were equally frequent, each would be {1 / pairs:.0%}"


def _by_shots(table: pd.DataFrame, method: str, gain: str) -> list[str]:
    """Describe what a method reaches and gains with each number of shots."""
    return [
        f"{row['accuracy']:.1%} with {_examples(row['shots'])} ({gain_text(row[gain], row['gain_interval_95'])})"
        for row in table.loc[table["method"] == method].sort_values("shots").to_dict("records")
    ]


def _examples(shots: int) -> str:
    return f"{shots} example{'s' if shots != 1 else ''}"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} and {parts[-1]}"
