"""The nets' tables, against the nets as they are built."""

import pytest

from oneshot.page.sections import nets
from tests.page.made_up import made_up


def built(package: str, *arguments):
    # TensorFlow takes long to import, and the page does without it.
    from importlib import import_module

    return import_module(f"oneshot.{package}.net").build(*arguments)


@pytest.mark.parametrize(
    ("layers", "net"),
    [
        (nets.table("convnet", 6), ("convnet", 6)),
        (nets.table("convnet", 10), ("convnet", 10)),
        (nets.table("dense_embedding", 10), ("dense_embedding", 10)),
        (nets.table("siamese"), ("siamese", 2, 0.1)),
        (nets.table("siamese", units=3), ("siamese", 3, 0.1)),
    ],
    ids=["convnet 6", "convnet 10", "dense", "siamese 2-D", "siamese 3-D"],
)
def test_the_nets_tables_are_those_of_the_built_nets(layers, net):
    kinds = ("Conv2D", "MaxPooling2D", "Flatten", "Dense")
    found = [layer for layer in built(*net).layers if type(layer).__name__ in kinds]
    assert [layer.shape for layer in layers] == [tuple(layer.output.shape[1:]) for layer in found]
    assert [layer.parameters for layer in layers] == [layer.count_params() for layer in found]


def test_the_last_layers_follow_the_number_of_classes():
    few = {"cifar10__seen_classes": [0, 1, 2], "mnist__seen_digits": [0, 1], "mnist__unseen_digits": [7, 8]}
    convnet, dense, siamese = nets.section(made_up(**few))["nets"]
    assert convnet["name"] == "ConvNet, 3 classes"
    assert convnet["layers"][-1].shape == (3,) and dense["layers"][-1].shape == (4,)
    assert "with the 2 seen digits the last layer has 6 parameters" in dense["note"]
    assert [net["as_in_report"] for net in (convnet, dense, siamese)] == [False, False, True]


def test_the_totals_are_the_reports():
    listed = nets.section(made_up())["nets"]
    assert [net["total"] for net in listed] == [16_717_906, 43_872, 39_426]
    assert all(net["as_in_report"] for net in listed)
