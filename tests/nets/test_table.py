"""The table of nets agrees with dvc.yaml, with the parameters of the ConvNets and with the nets that are built."""

from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml

from oneshot.convnet.params import KEYS
from oneshot.nets.table import DRAWINGS, NETS, PHOTOGRAPHS

PIPELINE = load_yaml(str(Path(__file__).parents[2] / "dvc.yaml"))


def variants(stage: dict) -> list[str]:
    """The names that a stage of dvc.yaml runs for."""
    return list(stage.get("foreach", {})) or [name for names in stage.get("matrix", {}).values() for name in names]


def test_each_net_is_trained_by_the_stage_of_its_kind():
    kinds = {net.kind for net in NETS.values()}
    trained = {(name, kind) for kind in kinds for name in variants(PIPELINE["stages"][f"train_{kind}"])}
    assert trained == {(net.name, net.kind) for net in NETS.values()}


def test_stages_run_for_all_nets_of_a_data_set_or_of_a_kind():
    """Other variants, such as those of the data sets, are no nets."""
    listed = {name: variants(stage) for name, stage in PIPELINE["stages"].items()}
    of_nets = {name: names for name, names in listed.items() if NETS.keys() & names}
    groups = [[*NETS], list(PHOTOGRAPHS), list(DRAWINGS)]
    groups += [[net.name for net in NETS.values() if net.kind == kind] for kind in {net.kind for net in NETS.values()}]
    assert of_nets and all(sorted(names) in [sorted(group) for group in groups] for names in of_nets.values())
    assert set(PIPELINE["artifacts"]) == NETS.keys()


def test_the_convnets_have_groups_of_parameters():
    assert tuple(KEYS) == PHOTOGRAPHS
    assert PIPELINE["stages"]["train_convnet"]["foreach"] == KEYS


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_the_dimensions_are_those_of_the_layer_that_makes_the_vector(net):
    from oneshot.convnet import net as convnet
    from oneshot.dense_embedding import net as dense_embedding
    from oneshot.siamese import net as siamese

    layers = {
        "convnet": lambda: convnet.build(6, widths=((2, 2), (2, 2, 2))).get_layer("representation"),
        "siamese": lambda: siamese.build(net.dimensions, 0.0).get_layer("embedding"),
        "dense_embedding": lambda: dense_embedding.build(5).get_layer("embedding"),
    }
    assert layers[net.kind]().output.shape == (None, net.dimensions)
