"""The tables of the scaling, from made-up points, and one real point of each kind of work."""

import inspect
import sys
from pathlib import Path

import pandas as pd
import pytest
import scaling
from dvc.utils.serialize import load_yaml

from oneshot.convnet import net

ROOT = Path(__file__).parents[2]
POINTS = [point.split("-") for point in load_yaml(str(ROOT / "research/dvc.yaml"))["stages"]["scaling_of"]["foreach"]]


def points() -> pd.DataFrame:
    """Times that grow with the square of the number of classes, and not at all with the rest; in another order."""
    rows = [
        (name, varied, int(size), 3.0 * int(size) ** 2 if varied == "classes" else 3.0, 100, "a processor")
        for name, varied, size in sorted(POINTS)
    ]
    return pd.DataFrame(rows, columns=["work", "varied", "size", "seconds", "memory_mib", "machine"])


def test_the_exponent_is_that_of_the_growth():
    table = scaling.growth(points())
    exponents = table.groupby("what varied")["exponent"].agg(set)
    assert exponents.pop("classes") == {"2.00"}
    assert set.union(*exponents) <= {"0.00", "-0.00"}
    assert "images per class" in exponents and "250, 500, 1000, 2000" in table["sizes"].tolist()


@pytest.mark.parametrize("point", ["convnet-images_per_class-32", "siamese-images_per_epoch-128", "episodes-count-4"])
def test_each_kind_of_work_can_be_measured(tmp_path, monkeypatch, point):
    """With a narrow ConvNet, in this process."""
    monkeypatch.setitem(net.build.__kwdefaults__, "widths", ((8, 8), (8, 8, 8)))
    monkeypatch.setitem(net.build.__kwdefaults__, "units", 12)
    (tmp_path / "params.yaml").symlink_to(ROOT / "params.yaml")
    one(monkeypatch, tmp_path, point)
    (found,) = pd.read_csv(tmp_path / f"parts/scaling/{point}.csv").to_dict("records")
    assert point.endswith(f"-{found['varied']}-{found['size']}")
    assert found["seconds"] >= 0 and found["memory_mib"] > 50 and "family" in found["machine"]


def test_what_is_tried_are_arguments_and_their_usual_sizes_are_among_it():
    for name, (_, work) in scaling.WORK.items():
        usual = {varied: str(argument.default) for varied, argument in inspect.signature(work).parameters.items()}
        tried = [(varied, size) for known, varied, size in POINTS if known == name]
        assert {varied for varied, _ in tried} == usual.keys() and usual.items() <= set(tried)


def one(monkeypatch: pytest.MonkeyPatch, folder: Path, point: str) -> None:
    """Run the script for one point in a folder with params.yaml."""
    (folder / "stages").symlink_to(ROOT / "stages")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["scaling", point])
    scaling.study.main("", scaling.one, scaling.collect)


def test_a_mistake_in_params_yaml_ends_in_one_sentence_before_anything_is_measured(tmp_path, monkeypatch):
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("\n    batch: 128 ", "\n    batch: 0 "))
    with pytest.raises(SystemExit, match=r"^error: params.yaml: convnet.recipe.batch: should be"):
        one(monkeypatch, tmp_path, "convnet-side-24")
    assert not (tmp_path / "parts").exists()


def test_an_unknown_kind_of_work_is_refused(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"^error: there is no work nets: name one of convnet, siamese, episodes$"):
        one(monkeypatch, tmp_path, "nets-side-24")
