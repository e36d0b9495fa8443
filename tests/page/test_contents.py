"""The whole page of made-up results, and that its text follows the parameters."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

from oneshot.evaluation.methods import CHOSEN, METHODS
from oneshot.page.contents import contents
from oneshot.page.render import data_of, render
from oneshot.page.results import Results
from oneshot.plotting.palette import COLOURS
from tests.page.elements import Elements, words
from tests.page.made_up import made_up

ROOT = Path(__file__).parents[2]
SECTIONS = [
    "try",
    "drawing",
    "samples",
    "nets",
    "training",
    "tests",
    "report-recipe",
    "episode",
    "projections",
    "one-shot",
    "pairs",
    "digits",
    "digit-results",
    "sweep",
    "conclusions",
    "making",
]


def without_stored_tables(results: Results) -> Results:
    """The same results before the studies have run."""
    return dataclasses.replace(results, studies={name: table[:0] for name, table in results.studies.items()})


def test_sections_stand_in_the_order_of_the_report(page: bytes):
    elements = Elements(page)
    assert [attributes["id"] for tag, attributes in elements.found if tag == "section"] == SECTIONS
    links = [attributes["href"] for tag, attributes in elements.found if tag == "a"]
    assert links[1 : len(SECTIONS) + 1] == [f"#{section}" for section in SECTIONS], "the contents, after a skip link"


def test_every_chart_has_its_place_on_the_page(page: bytes):
    places = {attributes["data-chart"] for _, attributes in Elements(page).found if "data-chart" in attributes}
    assert places == data_of(page)["charts"].keys()


def test_every_sheet_of_images_is_on_the_page(page: bytes):
    columns = data_of(page)["columns"]
    sheets = {attributes["data-sheet"] for _, attributes in Elements(page).found if attributes.get("data-sheet")}
    sheets |= {packed["sheet"] for packed in data_of(page)["sets"]}
    assert sheets <= columns.keys()
    for name in columns:
        assert f"--sheet-{name}: url(data:image/" in page.decode()


def test_a_class_has_one_colour_everywhere(page: bytes):
    data = data_of(page)
    drawn = [trace for key in ("projection-0", "projection-1") for trace in data["charts"][key]["data"]]
    for one in data["sets"][0]["classes"]:
        colours = {trace["marker"]["color"] for trace in drawn if trace["name"] == one["name"]}
        assert colours == {one["colour"]} == {COLOURS[one["label"]]}


def test_tables_that_are_not_made_yet_say_what_makes_them():
    shown = words(render(contents(without_stored_tables(made_up()))))
    for hint in (
        "the study has not run: dvc --cd research repro sweep",
        "the study has not run: dvc --cd research repro seeds",
        "not recorded: make studies",
    ):
        assert hint in shown
    assert "raw pixels" not in shown and "Validation accuracy by minutes" not in shown


def test_a_stale_table_says_of_which_revision_it_is_and_no_other_does(page: bytes):
    shown = words(page)
    assert "Made at revision" not in shown
    stale = dataclasses.replace(made_up(), stale={"sweep": "abc1234"})
    assert words(render(contents(stale))).count("Made at revision abc1234, by other code") == 1


def test_missing_tables_leave_their_sections_out():
    shown = words(render(contents(dataclasses.replace(made_up(), studies={}))))
    assert "raw pixels" not in shown and "the study has not run" in shown and "Beside other methods" not in shown


def test_other_ways_stand_beside_the_default(page: bytes):
    shown = words(page)
    assert "cross-entropy alone raw 3 0.550 ± 0.010 0.700 ± 0.020" in shown
    assert "raw pixels raw 1 0.300" in shown
    assert "PTMAP easyfsl together 200.0 0.700 ± 0.010" in shown
    others = {name: table for name, table in made_up().studies.items() if name != "baselines"}
    alone = words(render(contents(dataclasses.replace(made_up(), studies=others))))
    assert "Beside other methods" in alone and "cross-entropy alone" not in alone
    assert "MNIST raw 1 0.600 0.500 (0.100) 0.400 to 0.700 2 of 9" in shown


def test_the_cards_stand_beside_the_report(page: bytes):
    shown = words(page)
    assert "ConvNet, 10 classes 89.0% ± 12.7% mean of 2 trainings this run 90.0% report 87.0%" in shown
    assert "ConvNet, 6 classes 90.0% report 89.0%" in shown
    assert re.search(r"one-shot, 4 unseen classes \d+\.\d% ± \d+\.\d% report 60\.4%", shown)
    assert "transformed features" not in shown.partition("Try it")[0], "the chosen transform was not measured"
    other = words(render(contents(made_up(one_shot__methods=["raw", CHOSEN]))))
    assert re.search(r"1-shot, the same classes, transformed features [\d.]+% ± [\d.]+% pre-ReLU units", other)
    assert "pre-ReLU units + GAP, whitened, flip test-time averaging; chosen on folds of the seen classes" in other


def test_the_chosen_transform_is_the_best_on_folds_of_the_seen_classes():
    table = pd.read_csv(ROOT / "research/tables/choice.csv")
    single = table.loc[(table["shots"] == 1) & table["arm"].isin(list(METHODS))]
    assert single.loc[single["accuracy"].idxmax(), "arm"] == CHOSEN


def test_the_text_follows_the_parameters():
    results = made_up(
        cifar10__seen_classes=[0, 1, 2, 3, 4],
        cifar10__unseen_classes=[6, 7, 8],
        mnist__seen_digits=[0, 1, 2, 3],
        mnist__unseen_digits=[5, 6, 7],
        one_shot__shots=[2, 10],
    )
    page = render(contents(without_stored_tables(results)))
    shown = words(page)
    wrong = (
        r"\b(four|five|six|ten)\b",
        r"\b(4|6) (unseen |seen )?classes",
        r"\b(5|6|10) (unseen |seen )?digits",
        r"\b(1|5)-shot",
        r"\b1 and 5 examples",
    )
    for pattern in wrong:
        assert not (found := re.search(pattern, shown)), shown[max(0, found.start() - 60) : found.end() + 60]
    for right in (
        "the nets for one-shot learning have seen 5 classes of CIFAR-10 and the digits 0, 1, 2 and 3;",
        "unseen are frog, horse and ship, and the digits 5, 6 and 7.",
        "ConvNet, 5 classes 90.0% other classes than in the report",
        "one-shot, 3 unseen classes",
        "CIFAR-10: 3 classes that the net never saw",
        "MNIST: 3 digits that the net never saw",
        "with the 4 seen digits the last layer has 12 parameters",
        "“All digits” are these 7",
        "with 2 and 10 examples of each class",
        "Most confused digits, 2-shot",
    ):
        assert right in shown
    assert shown.count("total, as in the report") == 1, "the siamese net alone is the report's"


def test_more_shots_stand_in_the_order_of_their_numbers():
    page = render(contents(made_up(one_shot__shots=[10, 2])))
    assert "the others use 2 or 10." in words(page)
    assert [trace["name"] for trace in data_of(page)["charts"]["methods"]["data"]] == ["2-shot", "10-shot"]
    rows = re.findall(r"<tr><th scope=\"row\">siamese net, 2-D</th><td>(\d+)</td>", page.decode())
    assert rows == ["2", "10"]


def test_the_page_is_made_without_tensorflow():
    code = "import sys, oneshot.page.contents, oneshot.page.render; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
