"""The trainings by other recipes: their last epochs, beside our recipe after as many minutes."""

import dataclasses

import pandas as pd

from oneshot.page.contents import contents
from oneshot.page.render import render
from oneshot.page.sections.ablations import last_epochs, section
from tests.page.elements import words
from tests.page.made_up import made_up


def test_a_training_is_compared_with_ours_after_as_many_minutes():
    rows = [
        ("ours", 1, 10.0, 0.6),
        ("ours", 2, 20.0, 0.8),
        ("report", 1, 9.0, 0.3),
        ("report", 2, 19.0, 0.4),
        ("report-unaugmented", 1, 9.0, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["training", "epoch", "minutes", "validation_accuracy"])
    found = last_epochs(table).set_index("training")
    assert found["epoch"].tolist() == [2, 2, 1]
    assert found["ours_by_then"].tolist() == [0.8, 0.6, None]


def test_a_training_that_was_interrupted_has_no_test_metrics():
    results = made_up()
    last = results.ablations.iloc[[-1]].assign(
        epoch=2, minutes=16.0, test_loss=float("nan"), test_accuracy=float("nan")
    )
    cut_off = dataclasses.replace(results, ablations=pd.concat([results.ablations, last]))
    assert section(cut_off)["ablations"][-1]["test_accuracy"] is None
    assert "nan" not in words(render(contents(cut_off))).split()


def test_every_epoch_is_drawn_over_its_minutes():
    page = section(made_up())
    ours, report = page["charts"]["ablations"]["data"]
    assert (ours["x"], ours["y"]) == ([10.0, 20.0], [0.6, 0.8])
    assert (report["x"], report["y"]) == ([15.0], [0.4])
    assert [row["ours_by_then"] for row in page["ablations"]] == [0.8, 0.6]
