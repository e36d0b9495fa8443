"""The report page, from made-up results: what it holds, that it is the same bytes, and that a gap is no failure."""

import dataclasses
import html.parser
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_results import PARAMS, made_up

from oneshot import convnet, dense_embedding, siamese
from oneshot.episodes import choose_images
from oneshot.palette import COLOURS, MARKERS
from oneshot.report import charts, nets, reported
from oneshot.report.contents import contents, nearest_pairs, unpack
from oneshot.report.nearest import quantize
from oneshot.report.page import data_of, render

ROOT = Path(__file__).parents[1]
SECTIONS = [
    "try",
    "samples",
    "nets",
    "training",
    "tests",
    "draw",
    "projections",
    "one-shot",
    "pairs",
    "digits",
    "digit-figures",
    "sweep",
    "making",
]


class Elements(html.parser.HTMLParser):
    """Notes the start tags of a page, with their attributes, and what is left open."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, page: bytes):
        super().__init__()
        self.found, self.open, self.misplaced = [], [], []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.misplaced.append(tag)


@pytest.fixture(scope="module")
def page() -> bytes:
    return render(contents(made_up()))


def text(page: bytes) -> str:
    """The page without its scripts and styles."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", page.decode(), flags=re.DOTALL)


def test_the_same_results_give_the_same_bytes(page: bytes):
    assert render(contents(made_up())) == page
    assert b"\r" not in page, "Git would store other line ends"


def test_sections_stand_in_the_order_of_the_report(page: bytes):
    elements = Elements(page)
    assert [attributes["id"] for tag, attributes in elements.found if tag == "section"] == SECTIONS
    assert [attributes["href"] for tag, attributes in elements.found if tag == "a"][1:] == [f"#{s}" for s in SECTIONS]
    assert elements.open == [] and elements.misplaced == []


def test_the_page_needs_nothing_else(page: bytes):
    for tag, attributes in Elements(page).found:
        assert tag not in {"img", "iframe"}
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    style = re.search(r"<style>(.*?)</style>", page.decode(), re.DOTALL)[1]
    assert "@import" not in style
    assert all(target.startswith("data:") for target in re.findall(r"url\(([^)]{0,9})", style))


def test_pictures_and_charts_have_a_text_instead(page: bytes):
    for tag, attributes in Elements(page).found:
        if attributes.get("role") in ("img", "region", "group"):
            assert attributes["aria-label"], (tag, attributes)


def test_every_chart_has_its_place_on_the_page(page: bytes):
    places = {attributes["data-chart"] for _, attributes in Elements(page).found if "data-chart" in attributes}
    assert places == data_of(page)["charts"].keys()


def test_each_figure_stands_beside_the_reports(page: bytes):
    content = contents(made_up())
    ten, six = (row for row in content["tests"] if row["report"] is not None and "loss" not in row["name"])
    assert ten == {
        "name": "ConvNet, 10 classes: accuracy",
        "report": 0.87,
        "here": 0.9,
        "interval": None,
        "difference": pytest.approx(0.03),
    }
    assert six["report"] == 0.89
    mean = content["few_shot"]["accuracy"][-1]
    assert mean["report"] == pytest.approx(0.604, abs=5e-4) and mean["here"] == 0.5
    assert "<td>0.870</td><td>0.900</td><td>+0.030</td>" in text(page)
    assert "<td>0.627</td><td>0.500 <small>± 0.010</small></td><td>\N{MINUS SIGN}0.127</td>" in text(page)


def test_the_reports_figures_agree_with_each_other():
    confusion = np.array(reported.CONFUSION)
    assert (confusion.sum(0) == 69_900).all()
    recall, precision = np.diag(confusion) / confusion.sum(0), np.diag(confusion) / confusion.sum(1)
    assert list(reported.RECALL.values()) == pytest.approx(recall, abs=0.006)
    assert list(reported.PRECISION.values()) == pytest.approx(precision, abs=0.006)


@pytest.mark.parametrize("field", ["features", "figures", "curves", "projections"])
def test_a_missing_kind_of_result_leaves_gaps(field: str):
    page = render(contents(dataclasses.replace(made_up(), **{field: {}})))
    assert text(page).count('class="gap"') > 1


@pytest.mark.parametrize("net", ["siamese-3d", "dense-all"])
def test_a_missing_embedding_leaves_the_others(net: str):
    results = made_up()
    features = {name: arrays for name, arrays in results.features.items() if name != net}
    page = render(contents(dataclasses.replace(results, features=features)))
    drawn = data_of(page)["charts"]
    assert f"{net}-seen" not in drawn and "siamese-2d-seen" in drawn
    assert text(page).count("this result is not there") == 2


def test_missing_optional_tables_say_what_makes_them():
    results = made_up()
    empty = dataclasses.replace(results, sweep=results.sweep[:0], seeds=results.seeds[:0], minutes=results.minutes[:0])
    shown = text(render(contents(empty)))
    for hint in ("not run yet: make sweep", "not run yet: make seeds", "not noted yet: make minutes"):
        assert hint in shown


def test_a_single_training_has_no_deviation():
    results = made_up()
    seeds = results.seeds.assign(deviation=float("nan"), trainings=1)
    shown = text(render(contents(dataclasses.replace(results, seeds=seeds))))
    assert "10-class net, test accuracy</th><td>0.900 <small>± \N{EN DASH}</small></td><td>1</td>" in shown


def test_a_class_that_is_never_predicted_has_no_precision():
    results = made_up()
    figures = json.loads(json.dumps(results.figures))
    del figures["one_shot_cifar10"]["report_protocol"]["class_7"]["precision"]
    row = contents(dataclasses.replace(results, figures=figures))["few_shot"]["precision"][1]
    assert row["here"] is None and row["difference"] is None


def test_other_classes_than_the_reports_stand_alone():
    results = made_up()
    params = PARAMS | {"cifar10": {"base_classes": [0, 1, 2], "novel_classes": [5, 6]}}
    figures = json.loads(json.dumps(results.figures))
    protocol = figures["one_shot_cifar10"]["report_protocol"]
    protocol["class_5"] = protocol["class_6"]
    protocol["confusion"] = {f"predicted_{p}": {f"reference_{r}": 1 for r in (5, 6)} for p in (5, 6)}
    content = contents(dataclasses.replace(results, params=params, figures=figures, projections={}))
    assert [row["report"] for row in content["few_shot"]["accuracy"]] == [None, reported.ACCURACY[6], None]
    assert render(content)


def test_numbers_to_try_are_those_of_the_features(page: bytes):
    results = made_up()
    sets = {packed["key"]: packed for packed in data_of(page)["sets"]}
    assert list(sets) == ["cifar10", "siamese-2d", "siamese-3d"]
    for key, net, classes, bits in (
        ("cifar10", "6-class", [6, 7, 8, 9], 8),
        ("siamese-2d", "siamese-2d", [5, 6, 7, 8, 9], 16),
        ("siamese-3d", "siamese-3d", [5, 6, 7, 8, 9], 16),
    ):
        data, packed = results.features[net], sets[key]
        few = np.isin(data["labels"], classes)
        features, labels = data["embeddings"][few], data["labels"][few]
        chosen = choose_images(labels, classes, 6, 1, "pictures")
        assert unpack(packed).tolist() == quantize(features[chosen], bits).tolist()
        assert [packed["classes"][place]["label"] for place in packed["labels"]] == labels[chosen].tolist()
        for place, choices in enumerate(packed["choices"]):
            assert {packed["labels"][position] for position in choices} == {place}


def test_a_point_shows_the_image_that_it_stands_for(page: bytes):
    """The digits' sheet holds the pictured images, seen digits first; `tiles` and customdata are places in it."""
    data = data_of(page)
    chart = data["charts"]["siamese-2d-unseen"]
    places = [place for trace in chart["data"] for place in trace["customdata"]]
    assert sorted(places) == list(range(30, 60))
    assert sorted(data["sets"][1]["tiles"]) == list(range(30, 60))


def test_a_class_has_one_colour_everywhere(page: bytes):
    data = data_of(page)
    traces = {trace["name"]: trace for key in ("pca", "tsne") for trace in data["charts"][key]["data"]}
    for one in data["sets"][0]["classes"]:
        assert one["colour"] == COLOURS[one["label"]] == traces[one["name"]]["marker"]["color"]


def test_dvcs_scatter_template_has_the_colours_of_the_palette():
    template = (ROOT / ".dvc/plots/scatter_classes.json").read_text()
    assert re.findall(r"'(#[0-9a-f]{6})'", template) == list(COLOURS)


def test_markers_of_classes_drawn_together_differ_in_3d_too():
    for together in (range(6), range(6, 10), range(5), range(5, 10)):
        assert len({charts.SYMBOLS_3D[MARKERS[label]] for label in together}) == len(together)


@pytest.mark.parametrize(
    ("layers", "model"),
    [
        (nets.convnet(6), lambda: convnet.build(6)),
        (nets.convnet(10), lambda: convnet.build(10)),
        (nets.dense_embedding(10), lambda: dense_embedding.build(10)),
        (nets.siamese(2), lambda: siamese.build(2, 0.1)),
        (nets.siamese(3), lambda: siamese.build(3, 0.1)),
    ],
    ids=["convnet 6", "convnet 10", "dense", "siamese 2-D", "siamese 3-D"],
)
def test_the_nets_tables_are_those_of_the_built_nets(layers, model):
    kinds = ("Conv2D", "MaxPooling2D", "Flatten", "Dense")
    built = [layer for layer in model().layers if type(layer).__name__ in kinds]
    assert [layer.shape for layer in layers] == [tuple(layer.output.shape[1:]) for layer in built]
    assert [layer.parameters for layer in layers] == [layer.count_params() for layer in built]


def test_nearest_pairs_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    features, labels = rng.normal(size=(30, 4)), rng.integers(3, size=30)
    every = sorted(
        (float(np.linalg.norm(features[a] - features[b]).round(6)), a, b)
        for a in range(30)
        for b in range(a + 1, 30)
        if labels[a] != labels[b]
    )
    expected, used = [], set()
    for distance, a, b in every:
        if not used & {a, b}:
            expected.append((a, b, distance))
            used |= {a, b}
    assert nearest_pairs(features, labels, 4) == expected[:4]


def test_the_sweep_takes_the_mean_of_repeated_runs():
    table = pd.DataFrame({"margin": [1.0, 1.0, 2.0], "dimension": [2, 2, 2], "unseen_auc": [0.6, 0.8, 0.9]})
    (line,) = charts.sweep(table, "unseen_auc", "AUC")["data"]
    assert line["x"] == [1.0, 2.0] and line["y"] == [0.7, 0.9]


def test_the_page_is_made_without_tensorflow():
    code = "import sys, oneshot.report.page; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
