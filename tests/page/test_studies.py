"""The studies' tables, as the page and docs/results.md show them."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oneshot.core import params
from oneshot.page import studies
from oneshot.page.contents import contents
from oneshot.page.metrics import METRICS
from oneshot.page.render import render
from tests.page.elements import words
from tests.page.made_up import made_up

ROOT = Path(__file__).parents[2]
ENSEMBLES = ["nets", "seeds", "setting", "accuracy"]


def metrics_of(value: float) -> dict[str, dict]:
    """Metrics in which each of METRICS is `value`."""
    trees: dict[str, dict] = {}
    for file, key, _ in METRICS.values():
        *groups, leaf = key.split(".")
        branch = trees.setdefault(file, {})
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[leaf] = value
    return trees


def test_a_metric_has_the_reports_value_the_runs_and_the_means_by_both_recipes():
    ten, digits, protocol = (
        "10-class net, test accuracy",
        "siamese-3d, unseen digits, 1-shot",
        "one-shot, the report's protocol",
    )
    few = [None] * 5
    values = {ten: [0.8, 0.82, 0.81, *few], digits: [0.5] * 8, protocol: [0.5, 0.7] * 4}
    seeds = pd.DataFrame({"seed": range(1, 9), **values})
    thorough = pd.DataFrame({ten: [0.91], digits: [0.7]})
    metrics = metrics_of(0.5)
    metrics["one_shot_cifar10"]["report_protocol"]["interval_95"] = 0.018
    metrics["train_convnet/10-class"]["test"]["accuracy"] = 0.8
    del metrics["one_shot_cifar10"]["transductive"]
    header, rows = studies.all_metrics(metrics, seeds, thorough, params.read(ROOT))
    assert header[0] == "metric" and len(rows) == len(METRICS) - 4, "what was not measured has no row"
    found = {row[0]: row[1:] for row in rows}
    assert found[ten] == ("0.870", "0.800", "0.810 ± 0.025 (3)", "0.910 (1)"), "the number is that of this metric"
    assert found[digits] == (None, "0.500", "0.500 ± <0.001 (8)", None), "the thorough recipe is of the ConvNets"
    assert found[protocol] == ("0.604", "0.500 ± 0.018", "0.600 ± 0.089 (8)", None)
    assert found["6-class net, test accuracy"] == ("0.890", "0.500", None, None)
    other = studies.all_metrics(metrics_of(0.9), seeds, thorough, params.read(ROOT)).rows
    assert {row[3:] for row in other} == {(None, None)}, "a run that is none of the trainings has no means"
    assert {"1-shot, random episodes, CL2N", "siamese-2d, unseen digits, 5-shot, last maps, whitened"} <= found.keys()


def test_other_classes_have_nothing_of_the_report():
    given = params.read(ROOT) | {"cifar10": {"seen_classes": [0, 1, 2], "unseen_classes": [6, 7]}}
    table = studies.all_metrics(metrics_of(0.5), pd.DataFrame(), pd.DataFrame(), given)
    found = {row[0]: row[1] for row in table.rows}
    assert {name for name, report in found.items() if report} == {
        "10-class net, test accuracy",
        "10-class net, test loss",
    }


def test_the_last_epoch_of_each_recipe_is_shown():
    rows = [
        ("ours", 1, 10.0, 0.6, None, None),
        ("ours", 2, 20.0, 0.8, 0.5, 0.81),
        ("report", 1, 9.0, 0.3, None, None),
        ("report", 2, 19.0, 0.4, 1.5, 0.41),
    ]
    columns = ["training", "epoch", "minutes", "validation_accuracy", "test_loss", "test_accuracy"]
    assert studies.report_recipe(pd.DataFrame(rows, columns=columns)).rows == [
        ("our recipe", 2, "20.0", "0.800", "0.500", "0.810"),
        ("recipe of the report", 2, "19.0", "0.400", "1.500", "0.410"),
    ]


def test_trainings_are_summarised_per_net_and_shots():
    rows = [
        *[("raw pixels", 5, None, 0.7), ("raw pixels", 1, None, 0.5)],
        *[("siamese-2d", shots, seed, shots / 10 + seed / 100) for seed in (1, 3) for shots in (5, 1)],
    ]
    table = pd.DataFrame(rows, columns=["net", "shots", "seed", "accuracy"])
    found = studies.over_trainings(table)
    assert found["deviation"].tolist()[1] == pytest.approx(0.02 / 2**0.5)
    assert found["interval_95"].tolist()[1] == pytest.approx(stats.t.interval(0.95, 1, scale=0.01)[1])
    assert studies.ceilings(table).rows == [
        ("raw pixels", 1, "0.500", None),
        ("siamese-2d", 1, "0.120 ± 0.127", 2),
        ("raw pixels", 5, "0.700", None),
        ("siamese-2d", 5, "0.520 ± 0.127", 2),
    ]


def test_ensembles_of_one_size_are_averaged():
    rows = [
        (len(seeds.split()), seeds, setting, accuracy)
        for setting, gain in (("report's protocol, raw", 0), ("1-shot raw", 0.2))
        for seeds, accuracy in (("1", 0.1 + gain), ("2", 0.3 + gain), ("1 2", 0.35 + gain), ("2 1", 0.45 + gain))
    ]
    means, intervals = studies.over_ensembles(pd.DataFrame(rows, columns=ENSEMBLES))
    for found in (means, intervals):
        assert list(found) == ["1 net (2)", "2 nets (2)"]
        assert list(found.index) == ["report's protocol, raw", "1-shot raw"]
    np.testing.assert_allclose(means, [[0.2, 0.4], [0.4, 0.6]])
    half = stats.t.interval(0.95, 1, scale=0.1)[1]
    np.testing.assert_allclose(intervals, [[half, np.nan]] * 2)


def test_ensembles_have_a_column_per_number_of_nets():
    rows = [(1, "1", "1-shot raw", 0.6), (1, "2", "1-shot raw", 0.7), (2, "1 2", "1-shot flip_cl2n", 0.8)]
    header, rows = studies.ensembles(pd.DataFrame(rows, columns=ENSEMBLES))
    assert header == ("setting", "1 net (2)", "2 nets (1)")
    assert rows == [("1-shot raw", "0.650 ± 0.635", None), ("1-shot CL2N, flip", None, "0.800")]


def test_the_tables_of_other_ways_have_a_column_per_number_of_shots():
    rows = [("pixels", "raw", 1, 0.3, None, 1), ("plain", "cl2n", 1, 0.5, 0.02, 3), ("plain", "cl2n", 5, 0.7, 0.02, 3)]
    table = pd.DataFrame(rows, columns=["arm", "method", "shots", "accuracy", "interval_95", "trainings"])
    assert studies.baselines(table) == (
        ("features", "transform", "seeds", "1-shot", "5-shot"),
        [
            ("raw pixels", "raw", 1, "0.300", None),
            ("cross-entropy alone", "CL2N", 3, "0.500 ± 0.020", "0.700 ± 0.020"),
        ],
    )
    rows = [
        ("here", "raw", False, 1, 0.5, 0.02, 1.25),
        ("here", "soft k-means, cl2n", True, 1, 0.6, 0.01, 20.0),
        ("here", "raw", False, 5, 0.8, 0.02, 1.75),
    ]
    columns = ["library", "method", "transductive", "shots", "accuracy", "interval_95", "milliseconds"]
    assert studies.other_methods(pd.DataFrame(rows, columns=columns)) == (
        ("method", "library", "queries", "ms per episode", "1-shot", "5-shot"),
        [
            ("raw", "here", "one by one", "1.5", "0.500 ± 0.020", "0.800 ± 0.020"),
            ("soft k-means, CL2N", "here", "together", "20.0", "0.600 ± 0.010", None),
        ],
    )


def test_the_given_classes_stand_among_random_ones():
    columns = ["data", "method", "shots", "given", "mean", "deviation", "lowest", "highest", "rank", "splits"]
    table = pd.DataFrame([("MNIST", "raw", 1, 0.6, 0.55, 0.05, 0.4, 0.7, 3, 12)], columns=columns)
    row = ("MNIST", "raw", 1, "0.600", "0.550 (0.050)", "0.400 to 0.700", "3 of 13")
    assert studies.class_splits(table).rows == [row]


def test_a_study_that_has_not_run_has_no_table():
    ceilings = pd.DataFrame(columns=["net", "shots", "seed", "accuracy"])
    assert studies.shown({"ceilings": ceilings, "sweep": pd.DataFrame({"margin": [1]})}) == {}


def test_the_stored_tables_stand_on_the_page_with_every_value():
    stored = {name: pd.read_csv(ROOT / f"research/tables/{name}.csv") for name in studies.TABLES}
    tables = studies.shown(stored)
    assert tables.keys() == studies.TABLES.keys()
    shown = words(render(contents(dataclasses.replace(made_up(), studies=stored))))
    for header, rows in tables.values():
        assert {len(row) for row in rows} == {len(header)}
        for row in rows:
            assert " ".join(" ".join(str(cell) for cell in row if cell is not None).split()) in shown
    # Not one accuracy of a table by shots is lost.
    for name, of in (("baselines", 2), ("other_methods", 2)):
        values = [cell.split()[0] for row in tables[name].rows for cell in row[-of:] if cell]
        assert sorted(values) == sorted(f"{value:.3f}" for value in stored[name]["accuracy"])
