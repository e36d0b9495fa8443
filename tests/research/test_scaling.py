"""The tables of the scaling, from made-up points, and one real point of each kind of work."""

import inspect
import sys
from pathlib import Path

import pandas as pd
import pytest
import scaling

from oneshot.convnet import net
from tests.helpers import killed

ROOT = Path(__file__).parents[2]


def points() -> pd.DataFrame:
    """Times that grow with the square of what varied first, and not at all with the rest."""
    rows = [
        (work["title"], varied, size, 3.0 * size**2 if place == 0 else 3.0, 100 + size, "a processor")
        for work in scaling.WORK.values()
        for place, (varied, sizes) in enumerate(work["sizes"].items())
        for size in sizes
    ]
    return pd.DataFrame(rows, columns=["work", "varied", "size", "seconds", "memory_mib", "machine"])


def test_the_exponent_is_that_of_the_growth():
    table = scaling.growth(points())
    first = table.groupby("work", sort=False).head(1)
    assert set(first["exponent"]) == {"2.00"}
    assert set(table.drop(first.index)["exponent"]) <= {"0.00", "-0.00"}
    assert table["what varied"].tolist()[:2] == ["images per class", "classes"]


@pytest.mark.parametrize(
    ("work", "sizes"),
    [
        ("convnet", {"images_per_class": 16, "classes": 2}),
        ("siamese", {"images_per_epoch": 64, "batch": 32}),
        ("episodes", {"count": 4, "images_per_class": 30, "classes": 3, "dimensions": 5}),
    ],
)
def test_each_kind_of_work_can_be_measured(monkeypatch, work, sizes):
    """With a narrow ConvNet, in this process."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setitem(net.build.__kwdefaults__, "widths", ((8, 8), (8, 8, 8)))
    monkeypatch.setitem(net.build.__kwdefaults__, "units", 12)
    found = scaling.measured(work, sizes)
    assert found["seconds"] >= 0 and found["memory_mib"] > 50 and "family" in found["machine"]


def test_what_is_tried_are_arguments_and_their_usual_sizes_are_among_it():
    assert scaling.WORK.keys() == scaling.FUNCTIONS.keys()
    for name, work in scaling.WORK.items():
        arguments = inspect.signature(scaling.FUNCTIONS[name]).parameters
        assert arguments.keys() == work["sizes"].keys()
        assert all(arguments[size].default in tried and tried == sorted(tried) for size, tried in work["sizes"].items())


def one(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    """Run the script for one kind of work in a folder with params.yaml."""
    (folder / "stages").symlink_to(ROOT / "stages")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["scaling", name])
    scaling.study.main("", scaling.one, scaling.collect)


def test_a_mistake_in_params_yaml_ends_in_one_sentence_before_anything_is_measured(tmp_path, monkeypatch):
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("\n    batch: 128 ", "\n    batch: 0 "))
    with pytest.raises(SystemExit, match=r"^error: params.yaml: convnet.recipe.batch: should be"):
        one(monkeypatch, tmp_path, "convnet")
    assert not (tmp_path / "parts").exists()


def test_a_killed_process_is_reported_with_its_work(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.setattr(scaling, "measured", killed.killed)
    with pytest.raises(SystemExit, match=r"^error: the process that measured convnet, images_per_class 128, was ended"):
        one(monkeypatch, tmp_path, "convnet")


def test_an_unknown_kind_of_work_is_refused(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"^error: there is no work nets: name one of convnet, siamese, episodes$"):
        one(monkeypatch, tmp_path, "nets")
