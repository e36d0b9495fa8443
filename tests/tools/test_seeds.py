"""The table of `make seeds`: mean and deviation of each metric over trainings."""

import json
from pathlib import Path

import pytest

from tools.seeds import METRICS, collect


def metrics_of(value: float) -> dict[str, dict]:
    """Metrics in which every metric of the table is `value`."""
    trees: dict[str, dict] = {}
    for path, key in METRICS.values():
        *groups, leaf = key.split(".")
        branch = trees.setdefault(path, {})
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[leaf] = value
    return trees


def test_mean_and_deviation_over_seeds_in_their_order():
    table = collect({3: metrics_of(0.6), 1: metrics_of(0.4), 2: metrics_of(0.8)})
    assert table.columns.tolist() == ["metric", "mean", "deviation", "trainings", "seed_1", "seed_2", "seed_3"]
    assert len(table) == len(METRICS)
    for row in table.itertuples():
        assert (row.mean, row.deviation, row.trainings) == (pytest.approx(0.6), pytest.approx(0.2), 3)
        assert (row.seed_1, row.seed_2, row.seed_3) == (0.4, 0.8, 0.6)


def test_every_metric_is_in_the_stored_metrics():
    stored = {path: json.loads(Path(path).read_text()) for path, _ in METRICS.values()}
    table = collect({1: stored})
    assert table["mean"].between(0, 2).all() and table["deviation"].isna().all()


def test_a_missing_metric_is_named():
    metrics = metrics_of(0.5)
    del metrics["metrics/one_shot_cifar10.json"]["report_protocol"]
    with pytest.raises(KeyError, match="report_protocol"):
        collect({1: metrics})
