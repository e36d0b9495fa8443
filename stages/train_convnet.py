"""Train the report's ConvNet: train_convnet.py 10-class|6-class."""

import argparse

from pydantic import Field

from oneshot.convnet_params import ConvnetParams
from oneshot.params import Schema, load
from oneshot.stage import run


class Params(Schema):
    """The leaves that this stage reads."""

    seed: int = Field(ge=0)
    convnet: ConvnetParams


def main() -> None:
    """Write the net's weights, batch norm folded in, its curves and its test figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=["10-class", "6-class"])
    net = parser.parse_args().net
    params = load(Params)

    import numpy as np

    from oneshot import convnet, convnet_inference, convnet_training, datasets, device, files
    from oneshot.checkpoint import Checkpoint
    from oneshot.curves import Curves
    from oneshot.training import judge

    images, labels = datasets.read_cifar10("data/raw/cifar10")
    parts = files.read_arrays(f"data/splits/{net}")
    train, validation, test = ((images[i], labels[i]) for i in (parts[p] for p in ("train", "validation", "test")))
    # Base classes need not be 0, 1, 2, ...; the net's outputs are.
    classes = np.unique(train[1])
    train, validation, test = ((x, np.searchsorted(classes, y)) for x, y in (train, validation, test))

    device.seed_initialisation(params.seed)
    model = convnet_training.build(len(classes), params.convnet)
    sides = params.convnet.epochs.sides(net)
    recipe = params.model_dump_json(exclude={"convnet": {"epochs"}}) + str(sides)
    checkpoint = Checkpoint(".checkpoints", net, recipe, *train, *validation)
    curves = Curves(f"plots/curves/{net}")
    convnet_training.train(
        model,
        *train,
        *validation,
        params.convnet,
        sides=sides,
        seed=params.seed,
        checkpoint=checkpoint,
        on_epoch=curves.add,
    )
    curves.close()

    plain = convnet.fold(model)
    fast = convnet_inference.accelerate(plain, params.convnet.convolution)
    predict = convnet_inference.predictor(fast)
    logits = predict(test[0])
    both = (logits + predict(test[0][:, :, ::-1])) / 2
    files.write_weights(f"models/{net}.weights.h5", plain)
    files.write_json(
        f"metrics/train_convnet/{net}.json",
        {
            "test": judge(logits, test[1]),
            "test_mirror_averaged": judge(both, test[1]),
        },
    )
    checkpoint.delete()


if __name__ == "__main__":
    run(main)
