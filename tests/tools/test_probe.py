"""The probes' arms change the 6-class net's recipe to valid ones."""

import sys
from pathlib import Path

import pytest

from oneshot.convnet.params import ConvnetParams
from oneshot.core import params
from oneshot.datasets import cifar10
from tools import probe

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", probe.ARMS)
def test_an_arm_changes_only_what_it_names(name):
    default = ConvnetParams.model_validate(params.read()["convnet"]).recipe_of("6-class").model_dump()
    changed = probe.recipe_of(probe.ARMS[name]).model_dump()
    assert changed == default | {"epochs": probe.EPOCHS} | probe.ARMS[name].recipe


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("    batch: 128               # images", "    batch: 0 #", r"convnet\.recipe\.batch: should be .*, but is 0"),
        ("\nconvnet:\n", "\nother:\n", r"convnet: is missing"),
    ],
)
def test_a_mistake_in_params_yaml_ends_in_a_sentence(tmp_path, monkeypatch, old, new, sentence):
    text = (ROOT / "params.yaml").read_text()
    assert text.count(old) == 1
    (tmp_path / "params.yaml").write_text(text.replace(old, new))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["probe", "default"])
    monkeypatch.setattr(cifar10, "read", lambda folder: None)
    monkeypatch.setattr(probe, "choose_images", lambda images: (None, None))
    with pytest.raises(SystemExit, match=rf"^error: params\.yaml: {sentence}$"):
        probe.main()
    assert not probe.TABLE.exists()
