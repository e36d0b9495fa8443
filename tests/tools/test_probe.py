"""The probes' arms change the 6-class net's recipe to valid ones."""

import pytest

from oneshot.convnet.params import ConvnetParams
from oneshot.core import params
from tools import probe


@pytest.mark.parametrize("name", probe.ARMS)
def test_an_arm_changes_only_what_it_names(name):
    default = ConvnetParams.model_validate(params.read()["convnet"]).recipe_of("6-class").model_dump()
    changed = probe.recipe_of(probe.ARMS[name]).model_dump()
    assert changed == default | {"epochs": probe.EPOCHS} | probe.ARMS[name].recipe
