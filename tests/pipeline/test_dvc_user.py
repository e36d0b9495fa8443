"""What a user of DVC sees after `dvc exp run -S margin=2`: plots, metrics and tables that fit a screen."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml

from oneshot.nets.table import NETS, SIAMESE
from tests.pipeline.scratch import duplicate, dvc, hashes, ran
from tools import smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]

# For `dvc exp show --drop`: all columns but these.
BUT_THESE = r"(?!Experiment|margin$|.*siamese-2d.*:unseen\.(shot_1\.accuracy|test.auc))"


@pytest.fixture(scope="module")
def experiment(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy of the smoke run after `dvc exp run -S margin=2`, and what that printed; not to be changed by a test."""
    folder = duplicate(smoke_run, tmp_path_factory.mktemp("experiment") / "project")
    return folder, dvc(folder, "exp", "run", "--name", "wide", "-S", "margin=2")


def panels(page: Path) -> list[dict]:
    """The Vega specifications of a page of plots."""
    decoder, text = json.JSONDecoder(), page.read_text()
    return [decoder.raw_decode(text, found.end())[0] for found in re.finditer(r"var spec = ", text)]


def leaves(tree: dict) -> Iterator[object]:
    for value in tree.values():
        yield from leaves(value) if isinstance(value, dict) else [value]


def test_margin_reruns_the_siamese_branch_and_the_diff_shows_it(experiment: tuple[Path, str]):
    folder, output = experiment
    nets = SIAMESE
    branch = [f"{stage}@{net}" for stage in ("export_digit_net", "one_shot_mnist", "train_siamese") for net in nets]
    assert ran(output) == sorted([*branch, "check_params", "draw_pictures", "page"])
    changed = json.loads(dvc(folder, "metrics", "diff", "--json"))
    files = {f"metrics/{stage}/{net}.json" for stage in ("one_shot_mnist", "train_siamese") for net in nets}
    assert {Path(name).as_posix() for name in changed} == files


def test_a_parameter_changed_back_is_served_from_the_run_cache(
    experiment: tuple[Path, str], smoke_run: Path, tmp_path: Path
):
    folder = duplicate(experiment[0], tmp_path / "project")
    assert hashes(folder) != hashes(smoke_run)
    smoke.git(folder, "checkout", "--quiet", "params.yaml")
    output = dvc(folder, "repro")
    for stage in (f"{stage}@{net}" for stage in ("train_siamese", "one_shot_mnist") for net in SIAMESE):
        assert f"Stage '{stage}' is cached - skipping run" in output
    # These take a few seconds, and their outputs, or that they have none, keep DVC from caching their runs.
    exports = [f"export_digit_net@{net}" for net in SIAMESE]
    assert ran(output) == sorted([*exports, "check_params", "draw_pictures", "page"])
    assert hashes(folder) == hashes(smoke_run)


def test_one_line_of_the_parameters_changes(experiment: tuple[Path, str]):
    assert smoke.git(experiment[0], "diff", "--numstat", "params.yaml") == "1\t1\tparams.yaml\n"


@pytest.fixture(scope="module")
def drawn(experiment: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """What `dvc plots show` and `dvc plots diff` print then, and the page that each writes."""
    folder = tmp_path_factory.mktemp("plots")
    return {
        word: (dvc(experiment[0], "plots", word, "--out", str(folder / word)), folder / word / "index.html")
        for word in ("show", "diff")
    }


@pytest.mark.parametrize("word", ["show", "diff"])
def test_plots_are_few_and_none_fails(drawn: dict[str, tuple[str, Path]], word: str):
    output, page = drawn[word]
    assert "fail" not in output.lower() and "error" not in output.lower() and "warning" not in output.lower()
    found = panels(page)
    assert len(NETS) < len(found) + page.read_text().count("<img") <= 20
    assert all(panel["data"]["values"] for panel in found)


def test_training_and_validation_share_a_panel(drawn: dict[str, tuple[str, Path]]):
    """One panel per net: loss and accuracy side by side, each with the curves of both parts of both revisions."""
    curves = [panel["data"]["values"] for panel in panels(drawn["diff"][1])]
    curves = [rows for rows in curves if "epoch" in rows[0]]
    assert len(curves) == len(NETS)
    for rows in curves:
        lines = {(row["rev"], row["part"], row["metric"]) for row in rows}
        revisions, parts, metrics = ({row[key] for row in rows} for key in ("rev", "part", "metric"))
        assert (parts, metrics) == ({"training", "validation"}, {"loss", "accuracy"})
        assert len(lines) == len(revisions) * 4
    assert {row["rev"] for rows in curves for row in rows} == {"HEAD", "workspace"}


def test_metrics_are_few(smoke_run: Path):
    shown = json.loads(dvc(smoke_run, "metrics", "show", "--json"))[""]["data"]
    assert 0 < len(list(leaves({name: content["data"] for name, content in shown.items()}))) <= 100


def test_the_difference_of_metrics_fits_a_screen(experiment: tuple[Path, str]):
    header, *rows = dvc(experiment[0], "metrics", "diff").splitlines()
    assert header.split() == ["Path", "Metric", "HEAD", "workspace", "Change"]
    assert 0 < len(rows) <= 40


def test_the_table_of_experiments_fits_a_terminal(experiment: tuple[Path, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "400")  # wide enough that nothing is cut
    table = dvc(experiment[0], "exp", "show", "--no-pager", "--drop", BUT_THESE)
    assert max(map(len, table.splitlines())) <= 160
    for shown in ("[wide]", "margin", "unseen.test.auc", "unseen.shot_1.accuracy"):
        assert shown in table


def test_the_reports_recipe_is_one_command(branch: Path):
    """`dvc exp run $(cat recipes/report)`, with one epoch in place of sixty."""
    words = (smoke.ROOT / "recipes/report").read_text().replace(",60]]", ",1]]").split()
    assert ran(dvc(branch, "exp", "run", *words, "train_convnet@6-class")) == ["train_convnet@6-class"]
    recipe = load_yaml(str(branch / "params.yaml"))["convnet"]["recipe"]
    assert (recipe["optimizer"], recipe["batch"], recipe["augmentation"]["flip"]) == ("adam", 32, "none")
