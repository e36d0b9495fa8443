"""Few-shot accuracy of methods and of groups of classes: the same episodes for all, rows in a fixed order."""

import numpy as np
import pytest

from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes, query_parts
from oneshot.evaluation.few_shot import (
    compare_methods,
    compare_transductive,
    few_shot_accuracy,
    method_metrics,
    sample,
)
from oneshot.evaluation.transforms import Task

CLASSES = [6, 7, 8]
METHODS = ["power_centred", "raw", "flip"]
MANY = {"episodes": 25, "seed": 3}
SEEN_LABELS = np.repeat([0, 1, 2], 10)


@pytest.fixture(scope="module")
def task() -> Task:
    """Features of images and of their mirror images, of the unseen classes and of others."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(CLASSES, 20))
    centres = rng.exponential(size=(10, 6))
    unseen = np.abs(centres[labels] + 1.5 * rng.normal(size=(2, 60, 6)))
    return Task({"units": unseen}, labels, {"units": np.abs(rng.normal(size=(2, 30, 6)))}, SEEN_LABELS)


@pytest.fixture(scope="module")
def table(task):
    return compare_methods(task, METHODS, sample(task.labels, CLASSES, shots=[10, 2], queries=11, **MANY))


def test_rows_stand_by_shots_fewest_first_then_by_method(table):
    assert table["shots"].tolist() == [2, 2, 2, 10, 10, 10]
    assert table["method"].tolist() == METHODS * 2
    assert table["setting"].tolist()[:2] == ["2-shot power_centred", "2-shot raw"]
    assert table.columns.tolist() == [
        "setting", "shots", "method", "accuracy", "interval_95", "gain_over_raw", "gain_interval_95",
    ]  # fmt: skip


def test_all_methods_are_measured_on_the_same_draws(task, table):
    labels = task.labels
    for row in table.to_dict("records"):
        support = draw_episodes(labels, CLASSES, episodes=25, shots=row["shots"], seed=3)
        parts = query_parts(labels, CLASSES, 11, shots=row["shots"], seed=3)
        correct, raw = (
            accuracy(classify_episodes(task.transformed(method), labels, CLASSES, support, parts))
            for method in (row["method"], "raw")
        )
        gains = correct - raw
        assert row["accuracy"] == pytest.approx(correct.mean())
        assert row["interval_95"] == pytest.approx(1.96 * correct.std(ddof=1) / 5)
        assert row["gain_over_raw"] == pytest.approx(gains.mean())
        assert row["gain_interval_95"] == pytest.approx(1.96 * gains.std(ddof=1) / 5)


def test_raw_gains_nothing_over_itself_and_others_something(table):
    raw = table[table["method"] == "raw"]
    assert (raw[["gain_over_raw", "gain_interval_95"]] == 0).all(axis=None)
    assert (table[table["method"] == "flip"]["gain_over_raw"] > 0).all()


def test_the_order_of_shots_and_methods_changes_no_number(task, table):
    other = compare_methods(task, METHODS[::-1], sample(task.labels, CLASSES, shots=[2, 10], queries=11, **MANY))
    assert other["method"].tolist() == METHODS[::-1] * 2
    assert other.set_index("setting").loc[table["setting"]].equals(table.set_index("setting"))


def test_metrics_are_the_table_by_shots_and_method(table):
    metrics = method_metrics(table)
    assert list(metrics) == ["shot_2", "shot_10"] and list(metrics["shot_2"]) == METHODS
    row = table[(table["shots"] == 10) & (table["method"] == "flip")].iloc[0]
    assert metrics["shot_10"]["flip"] == {"accuracy": row["accuracy"], "interval_95": row["interval_95"]}


def test_transductive_rows_are_compared_with_the_same_transform_on_the_same_draws(task):
    labels = task.labels
    table = compare_transductive(task, ["unit", "whitened"], sample(labels, CLASSES, shots=[2, 1], **MANY))
    assert table["setting"].tolist() == ["1-shot unit", "1-shot whitened", "2-shot unit", "2-shot whitened"]
    for row in table.to_dict("records"):
        support = draw_episodes(labels, CLASSES, episodes=25, shots=row["shots"], seed=3)
        features = task.transformed(row["method"])
        together = accuracy(transductive.classify_together(features, labels, CLASSES, support))
        gains = together - accuracy(classify_episodes(features, labels, CLASSES, support))
        assert row["accuracy"] == pytest.approx(together.mean())
        assert row["gain_over_inductive"] == pytest.approx(gains.mean())
        assert row["gain_interval_95"] == pytest.approx(1.96 * gains.std(ddof=1) / 5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_of_ones_own_that_are_no_numbers_are_refused(value):
    features, labels = np.random.default_rng(0).normal(size=(40, 3)), np.repeat(["a", "b"], 20)
    assert few_shot_accuracy(features, labels, shots=[1], episodes=5)["accuracy"].between(0, 1).all()
    with pytest.raises(ValueError, match="no finite numbers"):
        few_shot_accuracy(features.astype(str), labels, shots=[1], episodes=5)
    with pytest.raises(ValueError, match=r"at least one example of each class, but shots are \[0, 1\]"):
        few_shot_accuracy(features, labels, shots=[0, 1], episodes=5)
    features[7, 1] = value
    with pytest.raises(ValueError, match="no finite numbers"):
        few_shot_accuracy(features, labels, shots=[1], episodes=5)
    with pytest.raises(ValueError, match="have the shapes"):
        few_shot_accuracy(features, labels[:-1], shots=[1], episodes=5)
