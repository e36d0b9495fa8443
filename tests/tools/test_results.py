"""The generated tables: every number is from the stored results, and stale tables are noticed."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.core.files import write_json
from oneshot.page.metrics import METRICS
from tests.page.test_studies import metrics_of
from tools import repro, results

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "research/tables"


def summary_of(metrics: dict, seeds: pd.DataFrame, **cifar10: list[int]) -> str:
    """The README's table with the parameters of params.yaml, but for some of its classes."""
    tree = params.read(ROOT)
    tree["cifar10"] |= cifar10
    return results.summary_table(metrics, seeds, tree)


def test_a_row_has_the_reports_value_the_stored_one_and_the_mean_over_its_own_number_of_trainings():
    digits = "siamese-3d, unseen digits, 1-shot"
    seeds = pd.DataFrame(
        {"10-class net, test accuracy": [0.8, 0.82, 0.81, None, None], digits: [0.5, 0.6, 0.7, 0.6, 0.6]}
    )
    lines = summary_of(metrics_of(0.5), seeds).splitlines()
    assert len(lines) == 2 + 5
    assert lines[2].endswith("| 0.870 | 0.500 | 0.810 ± 0.025 (3) |")
    assert lines[3].endswith("| 0.890 | 0.500 |  |")
    assert lines[4].endswith("(chance: 0.25) | 0.604 | 0.500 |  |")
    assert lines[5].endswith("|  | 0.500 |  |")
    assert lines[6].endswith("(chance: 0.20) |  | 0.500 | 0.600 ± 0.088 (5) |")


def test_one_training_has_no_interval_and_what_was_not_measured_no_row():
    metrics, one = metrics_of(0.5), pd.DataFrame({"10-class net, test accuracy": [0.81]})
    del metrics["one_shot_cifar10"]["report_protocol"]
    lines = summary_of(metrics, one).splitlines()
    assert lines[2].endswith("| 0.870 | 0.500 | 0.810 (1) |")
    assert len(lines) == 2 + 4


def test_a_study_that_has_not_run_says_so_in_place_of_its_table(tmp_path, monkeypatch):
    for name in ("README.md", "docs", "stages", "metrics", "plots", "provenance", "dvc.yaml", "params.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(TABLES, tmp_path / "research/tables")
    (tmp_path / "research/tables/ceilings.csv").write_text("net,shots,seed,accuracy\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(results, "longest_chain", lambda: {"a": 1.0})
    text = results.generate()[Path("docs/results.md")]
    assert text.count("Not measured yet: `dvc --cd research repro ceilings` makes this table.") == 1
    assert "`dvc --cd research repro ensembles` makes" not in text


def test_a_table_of_other_code_names_its_revision(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = results.read_stored()._replace(stale={"ensembles": "abc1234", "seeds_thorough": "def5678"})
    tables = results.results(found)
    assert "\n\nThis table was made at revision abc1234, by other code" in tables["ensembles"]
    assert "\n\nThe last column was made at revision def5678, by other code" in tables["results"]
    assert "revision" not in tables["ceilings"]


def test_every_study_has_a_row_in_the_texts():
    stages = load_yaml(str(ROOT / "research/dvc.yaml"))["stages"]
    made = [name for name, stage in stages.items() if "tables/" in str(stage.get("do", stage).get("plots"))]
    text = (ROOT / "docs/research.md").read_text(encoding="utf-8")
    assert len(made) > 9 and not [name for name in made if f"| `{name}` |" not in text]


def test_other_classes_have_their_own_counts_and_nothing_of_the_report():
    tree = params.read(ROOT)
    tree["cifar10"] = tree["cifar10"] | {"seen_classes": [0, 1, 2], "unseen_classes": [3, 4]}
    tree["mnist"] = tree["mnist"] | {"seen_digits": [0, 1, 2, 3, 4, 5, 6], "unseen_digits": [7, 8]}
    text = summary_of(metrics_of(0.5), pd.DataFrame(), seen_classes=[0, 1, 2], unseen_classes=[3, 4])
    assert "trained on 3 classes" in text and "the 2 classes that it never saw" in text and "chance: 0.50" in text
    assert "0.604" not in text and "0.890" not in text
    assert "the 10 classes" in text and "0.870" in text, "the 10-class net is the report's"
    text = summary_of(metrics_of(0.5), pd.DataFrame(), unseen_classes=[6, 7, 8])
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


def test_filling_replaces_what_stands_between_the_comments(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("a\n<!-- t -->\nold\n<!-- /t -->\nb\n")
    filled = results.fill(path, {"t": "new"})
    assert filled == "a\n<!-- t -->\nnew\n<!-- /t -->\nb\n"
    path.write_text(filled)
    assert results.fill(path, {"t": "new"}) == filled
    with pytest.raises(UserError, match=r"a\.md lacks the comments <!-- u -->"):
        results.fill(path, {"u": "new"})


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


def test_the_longest_chain_leads_from_the_data_to_the_page_by_stages_that_need_each_other(monkeypatch):
    minutes = {"train_convnet@10-class": 1.0, "train_convnet@6-class": 3.0, "extract_features@6-class": 2.0}
    monkeypatch.setattr(repro, "stored_minutes", lambda: minutes)
    chain = repro.longest_chain()
    assert sum(chain.values()) == 5.0
    named = [stage for stage in chain if stage in minutes]
    assert named == ["train_convnet@6-class", "extract_features@6-class"]
    assert next(iter(chain)).startswith("download") and "train_convnet@10-class" not in chain
