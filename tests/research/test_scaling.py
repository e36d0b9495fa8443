"""The tables and the picture of the scaling, from made-up points."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import scaling
from PIL import Image

ROOT = Path(__file__).parents[2]


def points() -> pd.DataFrame:
    """Times that grow with the square of what varied first, and not at all with the rest."""
    rows = [
        (scaling.TITLES[work], varied, size, 3.0 * size**2 if place == 0 else 3.0, 100 + size, "a processor")
        for work, (_, _, tried) in scaling.WORK.items()
        for place, (varied, sizes) in enumerate(tried.items())
        for size in sizes
    ]
    return pd.DataFrame(rows, columns=scaling.COLUMNS)


def test_the_exponent_is_that_of_the_growth():
    table = scaling.growth(points())
    first = table.groupby("work", sort=False).head(1)
    assert set(first["exponent"]) == {"2.00"}
    assert set(table.drop(first.index)["exponent"]) <= {"0.00", "-0.00"}
    assert table["what varied"].tolist()[:2] == ["images per class", "classes"]


@pytest.mark.parametrize(
    ("work", "sizes"),
    [
        ("convnet", {"images_per_class": 16, "classes": 2, "side": 16}),
        ("siamese", {"images_per_epoch": 64, "batch": 32, "dimensions": 2}),
        ("episodes", {"episodes": 4, "images_per_class": 30, "classes": 3, "dimensions": 5}),
    ],
)
def test_each_kind_of_work_can_be_measured(work: str, sizes: dict[str, int], capsys: pytest.CaptureFixture[str]):
    scaling._measure(work, sizes)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["seconds"] >= 0 and found["memory_mib"] > 50 and "family" in found["machine"]


def test_the_picture_is_drawn():
    picture = Image.open(io.BytesIO(scaling.draw(points())))
    assert picture.size[0] > 1000


def test_the_usual_size_is_a_point_of_every_curve():
    for _, usual, tried in scaling.WORK.values():
        assert usual.keys() == tried.keys()
        assert all(usual[name] in sizes and sizes == sorted(sizes) for name, sizes in tried.items())


def test_a_mistake_in_params_yaml_ends_in_one_sentence_of_the_process_that_measures(tmp_path, monkeypatch, capfd):
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("\n    batch: 128 ", "\n    batch: 0 "))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{ROOT}")
    monkeypatch.setattr(sys, "argv", ["scaling", "convnet"])
    with pytest.raises(SystemExit) as raised:
        scaling.main()
    assert raised.value.code == 1
    shown = capfd.readouterr().err
    # Before it may come the lines that TensorFlow prints when it is imported.
    assert shown.splitlines()[-1].startswith("error: params.yaml: convnet.recipe.batch: should be"), shown
    assert shown.count("error: ") == 1 and "Traceback" not in shown
    assert list(tmp_path.iterdir()) == [tmp_path / "params.yaml"]


def test_a_killed_process_is_reported_with_its_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["scaling", "convnet"])
    killed = subprocess.CompletedProcess([], -9, stdout="")
    monkeypatch.setattr(scaling.subprocess, "run", lambda *_, **__: killed)
    with pytest.raises(SystemExit, match=r"^error: the process that measured convnet .* by signal 9$"):
        scaling.main()
