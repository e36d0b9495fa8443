"""Five points that sum up what was measured; the page and the README end with them.

The report's last slide, "Conclusions", is empty. Every number and name here comes from the results, so the points
change with them.
"""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from oneshot.datasets import cifar10
from oneshot.evaluation.confusion import accuracy, error_shares, from_table
from oneshot.nets.table import SIAMESE
from oneshot.page import reported
from oneshot.page.spread import Mean


def sentences(
    protocol: Mapping[str, float],
    methods: pd.DataFrame,
    together: pd.DataFrame,
    confusion: pd.DataFrame,
    digits: Mapping[str, pd.DataFrame],
    siamese: Mapping[str, Mapping],
    mean: Mean | None = None,
    *,
    comparable: bool = True,
) -> list[str]:
    """Write the sentences: what is reached, what helps most and least, what unlabelled queries add, what is confused.

    protocol: accuracy and interval_95 of the report's protocol; methods, together: tables of few_shot.compare_methods
    and of compare_transductive; confusion: the protocol's confusion table; digits: those of the digit nets, by net;
    siamese: see `of_siamese_nets`; mean: of the protocol's accuracy over trainings; comparable: whether the classes of
    CIFAR-10 are the report's.
    """
    matrix, names = from_table(confusion)
    return [
        _reached(protocol, names, mean, comparable=comparable),
        f"{_most(methods)} {_most_on_digits(siamese)}",
        _least(methods),
        _unlabelled(together),
        f"{_confused_classes(matrix, names, comparable=comparable)} {_confused_digits(digits)}",
    ]


def of_siamese_nets(metrics: Mapping[str, Mapping]) -> dict[str, Mapping]:
    """Select what the siamese nets reach on unseen digits, by net; metrics: by path below metrics/ without .json."""
    return {net: metrics[f"one_shot_mnist/{net}"]["unseen"] for net in SIAMESE}


def _reached(protocol: Mapping[str, float], names: Sequence[str], mean: Mean | None, *, comparable: bool) -> str:
    parts = [
        f"From one example of each of {len(names)} classes that the net never saw, raw features classify"
        f" {protocol['accuracy']:.1%} (± {100 * protocol['interval_95']:.1f} points) of the images correctly by the"
        f" report's protocol; chance is {1 / len(names):.0%}."
    ]
    if mean:
        points = 100 * mean.interval_95
        parts.append(f"The mean of {mean.trainings} trainings is {mean.mean:.1%} (± {points:.1f} points).")
    if comparable:
        first, second = float(np.mean(list(reported.ACCURACY.values()))), accuracy(np.array(reported.CONFUSION))
        parts.append(f"The report's two runs gave {first:.1%} and {second:.1%}.")
    return " ".join(parts)


def _most(methods: pd.DataFrame) -> str:
    best = _by_shots(methods.loc[methods["method"] != "raw"], "gain_over_raw", largest=True)
    if not best:
        return "No transform of the features was measured besides raw ones."
    return (
        f"In random episodes, the most helpful transform of the features is {_and(best)}, in points over raw features."
    )


def _most_on_digits(siamese: Mapping[str, Mapping]) -> str:
    found, fewest = [], 0
    for net, metrics in siamese.items():
        fewest = min(int(key.removeprefix("shot_")) for key in metrics)
        values = metrics[f"shot_{fewest}"]
        whitened = values["maps_whitened"]["accuracy"]
        found.append(f"{whitened:.1%} for {net} (its embedding: {values['accuracy']:.1%})")
    return f"With {_examples(fewest)} of each unseen digit, the whitened last maps give {_and(found)}."


def _least(methods: pd.DataFrame) -> str:
    raw = methods.loc[methods["method"] == "raw"].sort_values("shots")
    first, last = raw.iloc[0], raw.iloc[-1]
    more = ""
    if len(raw) > 1:
        gain = 100 * (last["accuracy"] - first["accuracy"])
        more = f"With raw features, {last['shots']} examples instead of {first['shots']} gain {gain:+.1f} points."
    worst = _by_shots(methods.loc[methods["method"] != "raw"], "gain_over_raw", largest=False)
    least = f"The least helpful transform is {_and(worst)}." if worst else ""
    return " ".join(filter(None, [more, least])) or "Only one number of examples was measured."


def _unlabelled(together: pd.DataFrame) -> str:
    best = _by_shots(together, "accuracy", largest=True, gain="gain_over_inductive")
    if not best:
        return "Classifying all queries of an episode together was not measured."
    return (
        f"If all queries are classified together, which is another task, soft k-means is best with {_and(best)}, in"
        " points over the same features query by query."
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


def _by_shots(table: pd.DataFrame, column: str, *, largest: bool, gain: str = "gain_over_raw") -> list[str]:
    """Describe the row with the largest or the least value of a column, for each number of shots."""
    found = []
    for shots, rows in table.groupby("shots"):
        row = rows.loc[rows[column].idxmax() if largest else rows[column].idxmin()]
        points = f"{round(100 * row[gain], 1) + 0.0:+.1f} ± {100 * row['gain_interval_95']:.1f}"
        found.append(f"{row['method']} with {_examples(shots)} ({row['accuracy']:.1%}, {points})")
    return found


def _examples(shots: Hashable) -> str:
    return f"{shots} example{'s' if shots != 1 else ''}"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} and {parts[-1]}"
