"""`oneshot recipe`: the pipeline for one's own classes, in a folder that has none."""

from pathlib import Path

import pytest
import yaml

from oneshot.core.errors import UserError
from oneshot.use import recipe


def test_the_recipe_names_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path(".dvc").mkdir()
    assert "dvc add my-signs/images" in recipe.write("my-signs/")
    stages = yaml.safe_load(Path("my-signs/dvc.yaml").read_text())["stages"]
    assert stages["evaluate"]["deps"] == ["my-signs/images", "my-signs/encoder.txt"]
    assert yaml.safe_load(Path("my-signs/params.yaml").read_text())["encoder"] == "siamese-3d"
    plot = stages["evaluate"]["plots"][1]["my-signs/confusion.csv"]
    assert Path(f".dvc/plots/{plot['template']}.json").is_file()
    assert "own/" not in Path("my-signs/dvc.yaml").read_text()


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("../own", "no plain name"),
        ("", "no plain name"),
        ("-own", "no plain name"),
        ("taken", "taken is there already, and no folder"),
        ("full", "full/params.yaml is there"),
        ("own", "here is no .dvc"),
    ],
)
def test_a_folder_that_will_not_do_is_a_sentence(tmp_path, monkeypatch: pytest.MonkeyPatch, folder, sentence):
    monkeypatch.chdir(tmp_path)
    Path("full").mkdir()
    Path("full/params.yaml").touch()
    if folder == "taken":
        Path("taken").touch()
    if folder != "own":
        Path(".dvc").mkdir()
    with pytest.raises(UserError, match=sentence):
        recipe.write(folder)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name not in (".dvc", "taken")) == [
        "full",
        "params.yaml",
    ]
