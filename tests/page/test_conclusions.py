"""The five sentences: their numbers are those of the tables, and they hold for other parameters too."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oneshot.evaluation.confusion import to_table
from oneshot.evaluation.methods import CHOSEN, METHODS
from oneshot.nets.table import DRAWINGS
from oneshot.page.conclusions import sentences

NAMES = ["frog", "horse", "ship", "truck"]
COUNTS = np.array([[9, 6, 0, 0], [3, 9, 1, 1], [0, 1, 9, 2], [0, 0, 6, 9]])
DIGITS = ["1", "4", "7", "9"]
PROTOCOL = "one-shot, the report's protocol"
COLUMNS = ["setting", "shots", "method", "accuracy", "interval_95", "gain_over_raw", "gain_interval_95"]
TOGETHER = [*COLUMNS[:5], "gain_over_inductive", "gain_interval_95"]
MEASURED = [
    ("1-shot raw", 1, "raw", 0.6, 0.01, 0.0, 0.0),
    ("1-shot", 1, CHOSEN, 0.65, 0.01, 0.05, 0.002),
    ("1-shot", 1, "power", 0.7, 0.01, 0.1, 0.002),
    ("1-shot", 1, "cl2n", 0.59, 0.01, -0.01, 0.002),
    ("5-shot raw", 5, "raw", 0.8, 0.01, 0.0, 0.0),
    ("5-shot", 5, CHOSEN, 0.81, 0.01, 0.01234, 0.0004),
    ("5-shot", 5, "cl2n", 0.8, 0.01, 0.0, 0.0),
]
SIAMESE = {
    "shot_10": {"accuracy": 0.7, "maps_whitened": {"accuracy": 0.9}},
    "shot_5": {"accuracy": 0.612, "maps_whitened": {"accuracy": 0.78}},
}


def digit_table(share: int) -> pd.DataFrame:
    """Confusions of four digits, in which 4 with 9 is `share` of 20 errors."""
    counts = np.eye(4, dtype=int) * 9
    counts[1, 3], counts[0, 1] = share, 20 - share
    return to_table(counts, DIGITS).assign(part="all", shots=1)


def written(methods=MEASURED, together=(), seeds=(), unseen=(6, 7, 8, 9), splits=()) -> list[str]:
    """The sentences; seeds: the protocol's accuracy by trainings with the seeds 1, 2, ...; splits: of class_splits."""
    size = len(unseen)
    accuracies = pd.DataFrame({PROTOCOL: list(seeds)}).assign(seed=range(1, len(seeds) + 1))
    three_d = {"shot_5": {"accuracy": 0.7, "maps_whitened": {"accuracy": 0.8}}}
    tables = {net: digit_table(share) for net, share in zip(DRAWINGS, (3, 10, 5, 5), strict=True)}
    return sentences(
        {"seed": 1, "cifar10": {"seen_classes": range(6), "unseen_classes": unseen}},
        {
            "one_shot_cifar10": {"report_protocol": {"accuracy": 0.6123, "interval_95": 0.0198}},
            "one_shot_mnist/siamese-2d": {"unseen": SIAMESE},
            "one_shot_mnist/siamese-3d": {"unseen": three_d},
        },
        pd.DataFrame(methods, columns=COLUMNS),
        pd.DataFrame(list(together), columns=TOGETHER),
        {"one_shot_cifar10": to_table(COUNTS[:size, :size], NAMES[:size]), **tables},
        accuracies,
        pd.DataFrame(list(splits)),
    )


def test_what_is_reached_stands_beside_the_report_and_chance():
    assert "4 classes" in written()[0]
    assert "61.2% of the images correctly by the report's protocol (± 2.0 points over episodes); chance" in written()[0]
    assert "chance is 25%. The report's two runs gave 60.4% and 58.0%." in written()[0]
    assert "report's two" not in written(unseen=(6, 7, 8))[0], "the report has other classes"


def test_the_mean_over_trainings_stands_beside_one_run():
    accuracies = [0.6123, 0.65, 0.64, None, 0.64]
    measured = [value for value in accuracies if value]
    half = 100 * stats.t.interval(0.95, 3, scale=stats.sem(measured))[1]
    mean = f"The mean of 4 trainings is {np.mean(measured):.1%} (± {half:.1f} points over trainings)."
    assert mean in written(seeds=accuracies)[0], "one training has not measured it"
    assert "trainings" not in written(seeds=[0.7, 0.65])[0], "this run is not one of them"
    assert "trainings" not in written()[0]


def test_the_choice_of_classes_stands_beside_random_ones():
    splits = [
        {"given": 0.56, "mean": 0.48, "rank": 1, "splits": 8},
        {"given": 0.6, "mean": 0.5, "rank": 2, "splits": 8},
    ]
    assert written(splits=splits)[0].endswith(
        "56.0%, rank 1 of 9 (1 is the easiest), where random choices give 48.0% on average."
    )
    assert "rank" not in written(splits=splits, unseen=(6, 7, 8))[0] + written()[0]


def test_the_transform_chosen_on_folds_and_the_simplest_one_are_shown_not_the_best_on_unseen_classes():
    _, chosen, simple, *_ = written()
    assert chosen.endswith(
        " With 5 examples of each unseen digit, the whitened last feature maps give 78.0% for the siamese net, 2-D"
        " (its embedding: 61.2%) and 80.0% for the siamese net, 3-D (its embedding: 70.0%)."
    )
    gains = "65.0% with 1 example (+5.0 ± 0.2) and 81.0% with 5 examples (+1.23 ± 0.04): gains in points"
    assert f"({METHODS[CHOSEN].label} test-time averaging) gives {gains}" in chosen
    assert "power" not in chosen + simple
    assert "The simplest transform, CL2N of SimpleShot, gives" in simple
    assert not any(name in sentence for name in (CHOSEN, "cl2n", "siamese-") for sentence in written())
    assert "5 examples instead of 1 gain +20.0 points" in simple
    assert "59.0% with 1 example (-1.0 ± 0.2) and 80.0% with 5 examples (no difference)." in simple


def test_a_loss_that_rounds_to_nothing_has_no_minus_sign():
    rows = [*MEASURED[:1], ("1-shot", 1, "cl2n", 0.6, 0.01, -0.0001, 0.002)]
    assert "60.0% with 1 example (+0.0 ± 0.2)" in written(rows)[2]


def test_unlabelled_queries_are_compared_with_the_same_features():
    rows = [
        ("1-shot", 1, "unit", 0.8, 0.02, 0.15, 0.01),
        ("1-shot", 1, CHOSEN, 0.75, 0.02, 0.09, 0.01),
    ]
    assert "75.0% with 1 example (+9.0 ± 1.0)" in written(together=rows)[3]


def test_confusions_stand_beside_chance_and_the_reports():
    last = written()[4]
    assert "are frog with horse (45% of all errors; report: 33%) and ship with truck (40% of" in last
    assert "15% to 50% (4 with 9) and 0% to 0% (1 with 7) of all errors, depending on the net;" in last
    assert last.count("if all pairs were equally frequent, each would be 17%") == 2


@pytest.mark.parametrize("methods", [MEASURED[:1], MEASURED[:4], MEASURED[4:]])
def test_fewer_measurements_give_five_sentences_too(methods):
    found = written(methods)
    assert len(found) == 5
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in found)
    assert "not measured" in found[3]
