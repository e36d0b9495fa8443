"""The generated tables: every number is from the stored results, and stale tables are noticed."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml

from oneshot.core import params
from oneshot.core.files import write_json
from oneshot.page import reported
from oneshot.page.metrics import METRICS
from tools import results

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "research/tables"
ENSEMBLES = ["recipe", "nets", "seeds", "setting", "accuracy"]


def metrics_of(value: float) -> dict[str, dict]:
    """Metrics in which every row of the table is `value`."""
    trees: dict[str, dict] = {}
    for file, key, _ in METRICS.values():
        *groups, leaf = key.split(".")
        branch = trees.setdefault(file, {})
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[leaf] = value
    return trees


def spread_of(*rows: tuple[str, float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["metric", "mean", "interval_95", "trainings"])


def table_of(metrics: dict, seeds: pd.DataFrame, thorough: pd.DataFrame) -> str:
    """The table of docs/results.md, of the README's metrics only."""
    tree = params.read(ROOT)
    return results.results_table(
        metrics, seeds, thorough, {name: name for name in results.headlines(tree)}, tree["cifar10"]
    )


def summary_of(metrics: dict, seeds: pd.DataFrame, **cifar10: list[int]) -> str:
    """The README's table with the parameters of params.yaml, but for some of its classes."""
    tree = params.read(ROOT)
    tree["cifar10"] |= cifar10
    return results.summary_table(metrics, seeds, results.headlines(tree), tree["cifar10"])


def test_a_row_has_the_reports_value_the_stored_one_and_the_means_by_both_recipes():
    digits = "siamese-3d, unseen digits, 1-shot"
    seeds = spread_of(("10-class net, test accuracy", 0.81, 0.02, 3), (digits, 0.6, 0.1, 3))
    thorough = spread_of(
        ("10-class net, test accuracy", 0.91, 0.01, 2),
        ("6-class net, test accuracy", float("nan"), float("nan"), 0),
        (digits, 0.7, 0.1, 2),
    )
    lines = table_of(metrics_of(0.5), seeds, thorough).splitlines()
    assert len(lines) == 2 + 5
    assert lines[2].endswith("| 0.870 | 0.500 | 0.810 ± 0.020 (3) | 0.910 ± 0.010 (2) |")
    assert lines[3].endswith("| 0.890 | 0.500 |  |  |")
    assert lines[4].endswith("| 0.604 | 0.500 |  |  |")
    assert lines[5].endswith("|  | 0.500 |  |  |")
    assert lines[6].endswith("|  | 0.500 | 0.600 ± 0.100 (3) |  |")  # no ConvNet
    lines = summary_of(metrics_of(0.5), seeds).splitlines()
    assert lines[2].endswith("| 0.870 | 0.500 | 0.810 ± 0.020 (3) |")
    assert lines[6].endswith("(chance: 0.20) |  | 0.500 | 0.600 ± 0.100 (3) |")


def test_one_training_has_no_interval_and_what_was_not_measured_no_row():
    metrics, one = metrics_of(0.5), spread_of(("10-class net, test accuracy", 0.81, float("nan"), 1))
    del metrics["one_shot_cifar10"]["report_protocol"]
    lines = table_of(metrics, one, spread_of()).splitlines()
    assert lines[2].endswith("| 0.870 | 0.500 | 0.810 (1) |  |")
    assert len(lines) == len(summary_of(metrics, one).splitlines()) == 2 + 4


def test_a_study_that_has_not_run_says_so_in_place_of_its_table(tmp_path, monkeypatch):
    for name in ("README.md", "docs", "stages", "metrics", "plots", "provenance", "dvc.yaml", "params.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(TABLES, tmp_path / "research/tables")
    (tmp_path / "research/tables/ceilings.csv").write_text("net,shots,seed,accuracy\n")
    monkeypatch.chdir(tmp_path)
    text = results.generate()[Path("docs/results.md")]
    assert text.count("Not measured yet: `dvc --cd research repro ceilings` makes this table.") == 1
    assert "`dvc --cd research repro ensembles` makes" not in text


def test_ensembles_have_a_column_per_recipe_and_number_of_nets():
    single = [("default", 1, seed, "1-shot raw", accuracy) for seed, accuracy in (("1", 0.6), ("2", 0.7))]
    table = pd.DataFrame([*single, ("default", 2, "1 2", "1-shot raw", 0.8)], columns=ENSEMBLES)
    lines = results.ensembles_table(table).splitlines()
    assert lines[0] == "| setting | default: 1 net (2) | default: 2 nets (1) |"
    assert lines[2:] == ["| 1-shot raw | 0.650 ± 0.635 | 0.800 |"]


def test_the_tables_of_other_ways_have_a_column_per_number_of_shots():
    rows = [("pixels", "raw", 1, 0.3, 0.01, 3), ("plain", "raw", 1, 0.5, 0.02, 3), ("plain", "raw", 5, 0.7, 0.02, 3)]
    table = pd.DataFrame(rows, columns=["arm", "method", "shots", "accuracy", "interval_95", "trainings"])
    assert results.baselines_table(table).splitlines() == [
        "| arm | method | trainings | 1-shot | 5-shot |",
        "| --- | --- | --- | --- | --- |",
        "| pixels | raw | 3 | 0.300 ± 0.010 |  |",
        "| plain | raw | 3 | 0.500 ± 0.020 | 0.700 ± 0.020 |",
    ]
    rows = [("easyfsl", "TIM", True, 1, 0.6, 0.01, 20.0), ("oneshot", "raw", False, 1, 0.5, 0.02, 1.25)]
    columns = ["library", "method", "transductive", "shots", "accuracy", "interval_95", "milliseconds"]
    assert results.other_methods_table(pd.DataFrame(rows, columns=columns)).splitlines()[2:] == [
        "| oneshot | raw | one by one | 1.2 | 0.500 ± 0.020 |",
        "| easyfsl | TIM | together | 20.0 | 0.600 ± 0.010 |",
    ]


def test_the_given_classes_stand_among_random_ones():
    columns = ["data", "method", "shots", "given", "mean", "deviation", "lowest", "highest", "rank", "splits"]
    table = pd.DataFrame([("MNIST", "raw", 1, 0.6, 0.55, 0.05, 0.4, 0.7, 3, 12)], columns=columns)
    last = "| MNIST | raw | 1 | 0.600 | 0.550 (0.050) | 0.400 to 0.700 | 3 of 13 |"
    assert results.class_splits_table(table).splitlines()[-1] == last


def test_every_study_has_a_row_in_the_texts():
    stages = load_yaml(str(ROOT / "research/dvc.yaml"))["stages"]
    made = [name for name, stage in stages.items() if "tables/" in str(stage.get("do", stage)["outs"])]
    text = (ROOT / "docs/research.md").read_text(encoding="utf-8")
    assert len(made) > 9 and not [name for name in made if f"| `{name}` |" not in text]


def test_confusions_are_those_of_the_table():
    names = ["1", "4", "7", "9"]
    counts = {("4", "9"): 6, ("9", "4"): 2, ("1", "7"): 1, ("1", "9"): 1}
    rows = [(p, r, 5 if p == r else counts.get((p, r), 0), "all", 1) for p in names for r in names]
    table = pd.DataFrame(rows, columns=["true_class", "predicted_class", "count", "part", "shots"])
    last = results.confusions_table({"net": table}).splitlines()[-1]
    assert last == "| net | 4 with 9 (80%) | 1 with 7 (10%) | 80% | 10% |"
    assert reported.CONFUSED_DIGITS == ((4, 9), (1, 7))


def test_digits_without_the_reports_pairs_have_no_share_of_them():
    rows = [(p, r, 5, "all", 1) for p in ("1", "4", "7") for r in ("1", "4", "7")]
    table = pd.DataFrame(rows, columns=["true_class", "predicted_class", "count", "part", "shots"])
    assert results.confusions_table({"net": table}).splitlines()[-1].endswith("|  | 33% |")


def test_other_classes_have_their_own_counts_and_nothing_of_the_report():
    tree = params.read(ROOT)
    tree["cifar10"] = tree["cifar10"] | {"seen_classes": [0, 1, 2], "unseen_classes": [3, 4]}
    tree["mnist"] = tree["mnist"] | {"seen_digits": [0, 1, 2, 3, 4, 5, 6], "unseen_digits": [7, 8]}
    text = summary_of(metrics_of(0.5), spread_of(), seen_classes=[0, 1, 2], unseen_classes=[3, 4])
    assert "trained on 3 classes" in text and "the 2 classes that it never saw" in text and "chance: 0.50" in text
    assert "0.604" not in text and "0.890" not in text
    assert "the 10 classes" in text and "0.870" in text, "the 10-class net is the report's"
    text = summary_of(metrics_of(0.5), spread_of(), unseen_classes=[6, 7, 8])
    assert "0.604" not in text and "0.890" in text
    assert results.headlines(tree)["siamese-3d, unseen digits, 1-shot"].startswith("2 digits")
    metrics = metrics_of(0.5)
    metrics["one_shot_mnist/dense-all"] = metrics["one_shot_mnist/dense-seen"]
    card = results.card_table(metrics, tree)
    assert card.splitlines()[-1].endswith("| 0.50 |") and "0.25" not in card and "0.20" not in card


def test_every_stage_of_dvc_yaml_has_a_row():
    pipeline = load_yaml(str(ROOT / "dvc.yaml"))
    text = results.stages_table(pipeline)
    assert all(f"| `{name}` |" in text for name in pipeline["stages"])
    assert "10-class, 6-class" in text and "siamese-2d, siamese-3d" in text


def test_filling_replaces_what_stands_between_the_comments():
    text = "a\n<!-- t -->\nold\n<!-- /t -->\nb\n"
    filled = results.fill(text, {"t": "new"})
    assert filled == "a\n<!-- t -->\nnew\n<!-- /t -->\nb\n"
    assert results.fill(filled, {"t": "new"}) == filled
    with pytest.raises(ValueError, match="<!-- u -->"):
        results.fill(text, {"u": "new"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("seed: [1", "is not valid YAML"), ("sead: 1\n", "reads the parameter sead; did you mean seed?")],
)
def test_a_mistake_in_params_yaml_is_one_sentence(tmp_path, monkeypatch, text: str, sentence: str):
    for name in ("docs", "research", "stages", "metrics", "plots", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["results"])
    with pytest.raises(SystemExit, match="error: .*" + re.escape(sentence)):
        results.main()


def test_the_texts_are_up_to_date_and_every_row_is_stored():
    assert all(path.read_text(encoding="utf-8") == text for path, text in results.generate().items())
    for file, key, _ in METRICS.values():
        value = json.loads((ROOT / f"metrics/{file}.json").read_text())
        for part in key.split("."):
            value = value[part]
        assert 0 < value < 3


def test_no_stage_took_more_memory_than_make_repro_allows_for():
    pipeline = load_yaml(str(ROOT / "dvc.yaml"))
    rows = [line.split("|") for line in results.cost_table(pipeline, ROOT / "provenance").splitlines()[2:-2]]
    assert [row[1].strip(" `") for row in rows] == list(pipeline["stages"])
    measured = [(float(row[3]), float(row[4])) for row in rows if "not" not in row[3]]
    assert measured and all(0 < peak < allowed for peak, allowed in measured)


def test_the_costs_of_a_stage_are_those_of_all_its_runs(tmp_path: Path):
    for name, minutes, peak in (("a", 2, 0.5), ("b", 1.5, 1.25)):
        record = {"minutes": minutes, "peak_gib": peak, "processor": "a Xeon", "processors": 2}
        write_json(tmp_path / f"train_net-{name}.json", record)
    pipeline = {"stages": {"train": {"matrix": {"net": ["a", "b"]}, "cmd": "python stages/train_net.py ${item.net}"}}}
    *_, row, _, last = results.cost_table(pipeline, tmp_path).splitlines()
    assert row == "| `train` | 2.0, 1.5 | 1.25 | 2 |"
    assert last == "Together 4 minutes, on a Xeon, 2 processors."
