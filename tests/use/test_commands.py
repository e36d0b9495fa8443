"""What the command line does: tables printed and written, notes on the side, nothing written after a mistake."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto
from PIL import Image

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.use import commands
from tests.use import stand_in
from tests.use.conftest import plain

pytestmark = pytest.mark.usefixtures("project")


def classify(*images, examples="examples", encoder="6-class", **others):
    return commands.classify(examples, images, encoder=encoder, **others)


def evaluate(folder="examples", episodes=50, picture=None, confusion=None, **others):
    given = {"encoder": "6-class", "episodes": episodes, **others}
    return commands.evaluate(folder, **given, confusion_file=confusion, picture_file=picture)


def files_here():
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


def test_classify_prints_and_writes_the_same_table(capsys):
    classify("new", csv="out/table.csv", json="table.json")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "image" and lines[0].endswith("runner-up  its distance")
    colours = ("blue", "green", "red")
    assert [line.split()[:6] for line in lines[1:]] == [["new/some", c, "é.png", c, "1", "sure"] for c in colours]
    table = pd.read_csv("out/table.csv")
    assert list(table) == ["image", "class", "probability", "answer", "distance", "runner_up", "runner_up_distance"]
    assert table["class"].tolist() == ["blue", "green", "red"]
    assert (table["distance"] < table["runner_up_distance"]).all() and (table["class"] != table["runner_up"]).all()
    written = json.loads(Path("table.json").read_text())
    about = {"encoder": "6-class", "method": "raw", "classes": ["blue", "green", "red"]}
    assert {key: value for key, value in written.items() if key != "images"} == about
    assert [row["class"] for row in written["images"]] == ["blue", "green", "red"]
    assert np.allclose([row["distance"] for row in written["images"]], table["distance"], atol=1e-5)


def test_names_are_printed_with_escapes_and_written_as_they_are(capsys):
    Path("new/a\x1b[31m\n.png").write_bytes(Path("new/some red é.png").read_bytes())
    Path("examples/red").rename("examples/red\u200c\u202f")
    with open(os.fsencode("new") + b"/\xff.png", "wb") as file:
        plain((0, 0, 200)).save(file, "png")
    classify("new", csv="table.csv", json="table.json")
    shown = capsys.readouterr().out
    assert "new/a\\x1b[31m\\n.png" in shown and "red\\u200c\\u202f" in shown
    table = pd.read_csv("table.csv")
    assert table["image"].tolist()[0] == "new/a\x1b[31m\n.png" and table["image"].tolist()[-1] == "new/\\xff.png"
    assert table["class"].tolist()[0] == "red\u200c\u202f"
    assert [row["image"] for row in json.loads(Path("table.json").read_text())["images"]] == table["image"].tolist()


@pytest.mark.parametrize(
    "read", ["new/some red é.png", "examples/red/../red/0.png", "others/0.png", "net.onnx", "net.onnx.data"]
)
def test_what_is_read_is_not_replaced(read):
    Path("others").mkdir()
    Path("others/0.png").write_bytes(Path("examples/blue/1.png").read_bytes())
    stand_in.write(Path("net.onnx"))
    Path("net.onnx.data").write_bytes(b"weights")
    before = Path(read).read_bytes()
    with pytest.raises(UserError, match="is read here, and would be replaced"):
        classify("new", background="others", encoder="net.onnx", csv=read)
    if "new" not in read:
        with pytest.raises(UserError, match="is read here, and would be replaced"):
            evaluate(background="others", encoder="net.onnx", json=read)
    assert Path(read).read_bytes() == before


def test_an_encoder_that_is_called_by_its_name_is_not_replaced():
    before = Path("encoders/6-class.onnx").read_bytes()
    with pytest.raises(UserError, match="is read here, and would be replaced"):
        classify("new", json="encoders/6-class.onnx")
    assert Path("encoders/6-class.onnx").read_bytes() == before
    classify("new", csv="6-class")


def test_a_background_that_replaces_the_encoders_own_method_is_noted(capsys):
    classify("new", background="examples")
    assert "with --background the method is whitened, not the encoder's own raw" in capsys.readouterr().err
    classify("new", background="examples", method="cl2n")
    assert "with --background" not in capsys.readouterr().err


def test_the_file_that_makes_a_class_too_small_is_named():
    Path("two/red").mkdir(parents=True)
    Path("examples/blue").rename("two/blue")
    Path("two/red/a.png").write_bytes(Path("examples/red/0.png").read_bytes())
    Path("two/red/b.png").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"two/red/b\.png is no image .*; the class red has one image"):
        evaluate("two")


def test_a_picture_that_cannot_be_drawn_leaves_no_table(monkeypatch):
    monkeypatch.setitem(sys.modules, "oneshot.use.picture", None)
    monkeypatch.delattr("oneshot.use.picture", raising=False)
    with pytest.raises(UserError, match="--picture needs matplotlib, which cannot be loaded"):
        evaluate(csv="curve.csv", picture="picture.png")
    assert not Path("curve.csv").exists()


def test_notes_go_to_standard_error(capsys):
    Path("examples/red/notes.txt").write_text("x")
    classify("new/some red é.png", "new/some red é.png")
    found = capsys.readouterr()
    assert found.err == (
        "note: 1 file is skipped, without the ending of an image: examples/red/notes.txt\n"
        "note: 1 file is named twice and taken once: new/some red é.png\n"
    )
    assert len(found.out.splitlines()) == 2


def test_evaluate_prints_curve_and_matrix_and_writes_curve_and_picture(capsys):
    evaluate(csv="curve.csv", json="metrics.json", confusion="confusion.csv", picture="drawn/picture.png")
    out = capsys.readouterr().out
    assert out.startswith("3 classes, 9 images; encoder 6-class, method raw; 50 episodes\n")
    assert ["1", "100.0%", "+/-", "0.0%", "100%", "to", "100%"] in [line.split() for line in out.splitlines()]
    assert out.endswith("blue    100      0    0\ngreen     0    100    0\nred       0      0  100\n")
    curve = pd.read_csv("curve.csv")
    assert curve.to_dict("list") == {
        "shots": [1, 2],
        "accuracy": [1, 1],
        "interval_95": [0, 0],
        "low": [1, 1],
        "high": [1, 1],
    }
    right = {"accuracy": 1.0, "interval_95": 0.0}
    assert files.read_json("metrics.json") == {"classes": 3, "images": 9, "shot_1": right, "shot_2": right}
    counts = pd.read_csv("confusion.csv")
    assert counts["count"].tolist() == [100, 0, 0, 0, 100, 0, 0, 0, 100]
    assert Image.open("drawn/picture.png").size == (1440, 648)


def test_many_classes_are_told_by_the_pairs_that_are_confused(capsys):
    for number in range(14):
        Path(f"many/{number:02}").mkdir(parents=True)
        for copy in range(2):
            plain((15 * (number // 2), 100, 100), copy).save(f"many/{number:02}/{copy}.png")
    evaluate("many")
    assert "the pairs that are confused most" in (out := capsys.readouterr().out)
    assert any(f"  {pair:02} and {pair + 1:02}: " in out for pair in range(0, 14, 2))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: classify("new", csv="new"), "new is a folder: give the name of a file to write"),
        (lambda: classify("new", json="text.yaml/x"), "text.yaml/x cannot be written: .*text.yaml is a file"),
        (lambda: classify("new", csv="a.csv", json="./a.csv"), "a.csv is named for two outputs"),
        (lambda: classify("new", csv="a.csv", json="new/../a.csv"), r"new/\.\./a.csv is named for two outputs"),
        (lambda: classify("none", csv="a.csv"), "none is missing"),
        (lambda: classify("text.yaml", csv="a.csv"), "text.yaml is no image that Pillow can read"),
        (lambda: classify("new", method="unit"), "method must be one of raw, root with the encoder 6-class"),
        (lambda: evaluate("new", csv="a.csv"), "new has no folders with images in it"),
        (lambda: evaluate(csv="-", json="-"), "standard output .-. is for one table"),
        (lambda: evaluate(picture="-"), "standard output .-. is for one table"),
        (lambda: evaluate(episodes=1), "the number of episodes must be from 2 to"),
        (lambda: evaluate(picture="a.svg"), "--picture writes PNG: give a name that ends in .png, not a.svg"),
        (lambda: evaluate(seed=-1), "--seed must be from 0 to"),
        (lambda: evaluate(csv="a", picture="a"), "a is named for two outputs"),
        (lambda: evaluate(csv="a", json="b", confusion="b"), "^b is named for two outputs"),
    ],
)
def test_mistakes_end_in_a_sentence_and_write_nothing(call, sentence):
    before = files_here()
    with pytest.raises(UserError, match=sentence):
        call()
    assert files_here() == before


def test_what_is_no_plain_file_is_refused_and_stays_as_it_is():
    """A new file would take its place: as root, that of /dev/null too."""
    os.mkfifo("pipe")
    os.symlink("text.yaml", "link")
    os.symlink("nowhere", "broken link")
    for name in ("pipe", "link", "broken link"):
        with pytest.raises(UserError, match=f"{name} is a device, a pipe or a link: give the name"):
            classify("new", csv=name)
    assert Path("pipe").is_fifo() and Path("link").is_symlink() and Path("broken link").is_symlink()
    with pytest.raises(UserError, match="/dev/null is a device"):
        commands._check_outputs("/dev/null")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["locked/x.json", "locked/a/b/x.json", "locked/old.json"])
def test_a_folder_without_permission_is_reported_before_any_work(monkeypatch, name):
    """Asked of a stand-in for os.access, as root may write everywhere."""
    files.write_json("locked/old.json", {})
    before, ask = files_here(), os.access
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place).name != "locked" and ask(place, mode))
    sentence = f"{name} cannot be written: you have no permission to write into .*/locked; give another path"
    with pytest.raises(UserError, match=sentence):
        classify("new", csv="ok.csv", json=name)
    assert files_here() == before


def test_equally_near_classes_are_in_the_order_of_their_names():
    table = commands.nearest_two([Path("x")], np.array([[2.0, 1.0, 1.0]]), np.array(["a", "b", "c"]))
    assert table.iloc[0].tolist() == ["x", "b", 1.0, "c", 1.0]


def test_one_bad_image_of_many_is_left_out_and_named(capsys):
    Path("new/bad.png").write_bytes(b"bad")
    (sentence,) = classify("new", csv="-")
    assert sentence.startswith("new/bad.png is no image that Pillow can read")
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table["class"].tolist() == ["blue", "green", "red"]
    with pytest.raises(UserError, match=r"bad.png is no image"):
        classify("new/bad.png")
    Path("examples/red/bad.png").write_bytes(b"bad")
    assert len(evaluate(json="-")) == 1
    assert json.loads(capsys.readouterr().out)["images"] == 9


def test_an_image_per_class_is_enough_and_its_name_is_the_class(capsys):
    classify("new", examples="new", csv="-")
    out = capsys.readouterr()
    assert pd.read_csv(io.StringIO(out.out))["class"].tolist() == ["some blue é", "some green é", "some red é"]
    assert "note: 3 images are an example too, which is no test of it: " in out.err


def test_an_image_in_two_classes_is_noted(capsys):
    Path("examples/red/twin.png").write_bytes(Path("examples/blue/0.png").read_bytes())
    evaluate()
    assert "note: 1 image is in more than one class: examples/blue/0.png\n" in capsys.readouterr().err


def test_what_an_encoder_wants_and_gives_is_told(capsys):
    commands.inspect("6-class")
    out = capsys.readouterr().out
    assert "raw ['n', 3]; root ['n', 3]" in out and "photograph" in out and "900.0" in out
    stand_in.write(Path("open.onnx"), ("n", 3, "h", "w"), TensorProto.FLOAT, about={})
    commands.inspect("open.onnx")
    out = capsys.readouterr().out
    assert "any (--size) x any (--size) x 3 float32, NCHW" in out and "--preprocess" in out
