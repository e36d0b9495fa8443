"""The table of `make seeds`: one row per training, with its machine, and their mean and deviation."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml

from oneshot.core.files import write_csv
from oneshot.page.contents import contents
from oneshot.page.results import Results
from oneshot.page.spread import spread
from tests.page.made_up import made_up
from tools import inputs, seeds

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stored run's metrics, provenance, dvc.lock and parameters, in the working directory."""
    for name in ("params.yaml", "dvc.lock", seeds.PROVENANCE, *{path for path, _ in seeds.METRICS.values()}):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reader(folder: Path, seed: int = 1, of_siamese_2d: Mapping[str, object] = MappingProxyType({})):
    """Read the files of a run in a folder as if it had another seed, or other parameters of one stage."""

    def read_text(path: str) -> str:
        if path != "dvc.lock":
            return (folder / path).read_text()
        lock = load_yaml(str(folder / path))
        for name, stage in lock["stages"].items():
            parameters = stage.get("params", {}).get("params.yaml", {})
            parameters |= {"seed": seed} if "seed" in parameters else {}
            parameters |= of_siamese_2d if name == "train_siamese@siamese-2d" else {}
        return json.dumps(lock)  # is YAML too

    return read_text


def test_a_row_has_seed_machine_and_every_metric(project: Path):
    made = seeds.row(reader(project))
    record = json.loads((project / seeds.PROVENANCE).read_text())
    assert made["seed"] == 1 and made["machine"].startswith(record["processor"])
    assert made["one-shot, the report's protocol"] == pytest.approx(
        json.loads((project / "metrics/one_shot_cifar10.json").read_text())["report_protocol"]["accuracy"]
    )
    assert list(made) == ["seed", "machine", "inputs", *seeds.METRICS]


def test_the_digest_is_that_of_everything_but_the_seed(project: Path):
    same, other = seeds.row(reader(project, seed=2)), seeds.row(reader(project, of_siamese_2d={"margin": 2.0}))
    assert same["inputs"] == seeds.row(reader(project))["inputs"] != other["inputs"]
    assert same["seed"] == 2


def test_a_run_with_two_seeds_is_no_row(project: Path):
    """An experiment that ran some of the stages only."""
    with pytest.raises(ValueError, match=r"several seeds: \[1, 7\]"):
        seeds.row(reader(project, seed=1, of_siamese_2d={"seed": 7}))


def test_a_missing_metric_is_named(project: Path):
    path = project / "metrics/one_shot_cifar10.json"
    metrics = json.loads(path.read_text())
    del metrics["report_protocol"]
    path.write_text(json.dumps(metrics))
    with pytest.raises(KeyError, match="report_protocol"):
        seeds.row(reader(project))


def test_mean_and_deviation_of_the_rows():
    rows = [{"seed": seed, "machine": "m", "inputs": "0", "a": value} for seed, value in ((3, 0.6), (1, 0.4), (2, 0.8))]
    table = pd.DataFrame(columns=list(rows[0]))
    for made in [*rows, rows[0]]:  # again: in place of the first
        table = seeds.add(table, made)
    assert table["seed"].tolist() == [1, 2, 3]
    (found,) = spread(table).to_dict("records")
    assert found.pop("interval_95") == pytest.approx(4.302653 * 0.2 / 3**0.5)  # from a table of Student's t
    assert found == {"metric": "a", "mean": pytest.approx(0.6), "deviation": pytest.approx(0.2), "trainings": 3}


def test_the_page_asks_for_metrics_that_the_table_has(monkeypatch: pytest.MonkeyPatch):
    asked = set()
    monkeypatch.setattr(Results, "mean_with_others", lambda _, metric, value: asked.add(metric))
    contents(made_up(one_shot__methods=["raw", "mirror_both_whitened"]))
    assert len(asked) == 4 and asked <= seeds.METRICS.keys()


def test_without_a_whole_stored_run_nothing_is_started(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", ["seeds", "2"])
    monkeypatch.setattr(seeds, "run", lambda *_: pytest.fail("an experiment was started"))
    monkeypatch.setattr(inputs, "DVC", ("echo", "Running stage"))
    with pytest.raises(SystemExit, match=r"dvc\.lock is not of this code"):
        seeds.main()
    monkeypatch.setattr(inputs, "DVC", ("echo",))
    (project / "metrics/one_shot_cifar10.json").write_text("{}")
    with pytest.raises(SystemExit, match="the stored run has no 'report_protocol'"):
        seeds.main()
    (project / "dvc.lock").unlink()
    with pytest.raises(SystemExit, match=r"no whole stored run .*dvc\.lock.*: run make repro"):
        seeds.main()


def test_an_experiment_of_another_seed_is_no_row(project: Path, monkeypatch: pytest.MonkeyPatch):
    own = seeds.row(reader(project))
    (project / "research/tables").mkdir(parents=True)
    monkeypatch.setattr("sys.argv", ["seeds", "2"])
    monkeypatch.setattr(inputs, "DVC", ("echo",))
    monkeypatch.setattr(seeds, "finished", dict)
    monkeypatch.setattr(seeds, "run", lambda *_: iter(["seed-2"]))
    monkeypatch.setattr(seeds, "_experiment", lambda name: own)
    with pytest.raises(SystemExit, match="remove it with `dvc exp remove seed-2`"):
        seeds.main()
    assert seeds.read_table(seeds.TABLE)["seed"].tolist() == [1]


def test_an_interrupted_call_is_continued(project: Path, monkeypatch: pytest.MonkeyPatch):
    """Seed by seed: what is in the table, or left by an experiment, does not run again; old rows go."""
    own, asked, left = seeds.row(reader(project)), [], {"seed-3": 3}
    (project / "research/tables").mkdir(parents=True)
    write_csv(project / seeds.TABLE, pd.DataFrame([own | {"seed": 2}, own | {"seed": 9, "inputs": "12345678"}]))

    def run(experiments, targets, options):
        asked.append(list(experiments))
        yield "seed-4"
        raise SystemExit("error: seed-5 failed")

    monkeypatch.setattr("sys.argv", ["seeds", "2", "3", "4", "5"])
    monkeypatch.setattr(seeds, "run", run)
    monkeypatch.setattr(inputs, "DVC", ("echo",))
    monkeypatch.setattr(seeds, "finished", lambda: left)
    monkeypatch.setattr(seeds, "_experiment", lambda name: own | {"seed": int(name[5:])})
    with pytest.raises(SystemExit, match="seed-5 failed"):
        seeds.main()
    assert asked == [["seed-4", "seed-5"]]
    assert seeds.read_table(seeds.TABLE)["seed"].tolist() == [1, 2, 3, 4]


@pytest.fixture
def recipe(project: Path) -> dict:
    """A recipe "wide", and the row of the stored run with its parameters."""
    (project / "recipes").mkdir()
    (project / "recipes/wide").write_text("-S margin=2.0\n-S siamese.batch=64\n")
    (project / "research/tables").mkdir(parents=True)
    lock = load_yaml(str(project / "dvc.lock"))
    for stage in lock["stages"].values():
        parameters = stage.get("params", {}).get("params.yaml", {})
        parameters |= {"margin": 2.0} if "margin" in parameters else {}
        if "siamese" in parameters:
            parameters["siamese"] |= {"batch": 64}
    return seeds.row(lambda path: json.dumps(lock) if path == "dvc.lock" else (project / path).read_text())


def test_a_recipe_has_a_table_of_runs_with_its_parameters(project: Path, recipe, monkeypatch: pytest.MonkeyPatch):
    own, asked = seeds.row(reader(project)), []
    path = seeds.table_of("wide")
    assert path == Path("research/tables/seeds_wide.csv") and recipe["inputs"] != own["inputs"]
    write_csv(path, pd.DataFrame([recipe | {"seed": 9, "inputs": "12345678"}]))

    def run(experiments, targets, options):
        asked.append(experiments)
        yield from experiments

    monkeypatch.setattr(seeds, "run", run)
    monkeypatch.setattr(inputs, "DVC", ("echo",))
    monkeypatch.setattr(seeds, "finished", lambda: {"wide-5": "0"})
    monkeypatch.setattr(seeds, "_experiment", lambda name: recipe | {"seed": int(name[5:])})
    for words in ("3", "3 4 5"):
        monkeypatch.setattr("sys.argv", ["seeds", *words.split(), "--recipe", "wide"])
        seeds.main()
    changes = ["margin=2.0", "siamese.batch=64"]
    assert asked == [{"wide-3": [*changes, "seed=3"]}, {"wide-4": [*changes, "seed=4"]}]
    assert seeds.read_table(path)["seed"].tolist() == [3, 4, 5]
    assert not seeds.TABLE.exists()

    monkeypatch.setattr(seeds, "_experiment", lambda name: own | {"seed": 6})
    monkeypatch.setattr("sys.argv", ["seeds", "6", "--recipe", "wide"])
    with pytest.raises(SystemExit, match="wide-6 ran another seed, code, parameters or data"):
        seeds.main()


def test_a_recipe_that_cannot_be_run_or_told_is_named(project: Path, recipe, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seeds, "run", lambda experiments, *_: iter(experiments))
    monkeypatch.setattr(inputs, "DVC", ("echo",))
    monkeypatch.setattr(seeds, "finished", dict)
    monkeypatch.setattr("sys.argv", ["seeds", "3", "--recipe", "wide"])

    def lacks(name):
        raise KeyError("report_protocol")

    monkeypatch.setattr(seeds, "_experiment", lacks)
    with pytest.raises(SystemExit, match=r"wide-3 has no 'report_protocol', .* see recipes/wide"):
        seeds.main()
    (project / "recipes/wide").write_text("-S siamese.bacth=64\n")
    with pytest.raises(SystemExit, match=r"recipes/wide sets 'bacth', which params\.yaml does not have"):
        seeds.main()
