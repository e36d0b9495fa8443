"""Train a siamese net with the contrastive loss on the seen digits: train_siamese.py DIMENSIONS."""

import argparse

from pydantic import Field

from oneshot.params import Schema, load
from oneshot.siamese_params import SiameseParams
from oneshot.stage import run


class Params(Schema):
    """The leaves that this stage reads."""

    seed: int = Field(ge=0)
    margin: float = Field(gt=0)
    siamese: SiameseParams


def main() -> None:
    """Write the net's weights, its embeddings of all test images, its curves, and figures of pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dimensions", choices=["2", "3"])
    dimensions = int(parser.parse_args().dimensions)
    params = load(Params)
    name = f"{dimensions}d"

    from oneshot import device, digits, files, siamese
    from oneshot.checkpoint import Checkpoint
    from oneshot.curves import Curves
    from oneshot.seeds import generator
    from oneshot.training import embedder

    sets = digits.load("data/raw/mnist", "data/splits/mnist")
    device.seed_initialisation(params.seed)
    model = siamese.build(dimensions, params.siamese.dropout)
    checkpoint = Checkpoint(
        ".checkpoints",
        f"siamese-{name}",
        params.model_dump_json(),
        sets["seen_train"].images,
        sets["seen_train"].labels,
    )
    curves = Curves(f"plots/curves/siamese-{name}")
    siamese.train(
        model,
        sets["seen_train"],
        sets["seen_validation"],
        seed=params.seed,
        margin=params.margin,
        checkpoint=checkpoint,
        on_epoch=curves.add,
        **params.siamese.model_dump(exclude={"dropout"}),
    )
    curves.close()

    embed = embedder(model)
    embedded = {part: embed(digit_set.images) for part, digit_set in sets.items()}
    metrics = {}
    for part, digit_set in sets.items():
        rng = generator(params.seed, f"{part} pairs")
        pairs, same = siamese.draw_pairs(digit_set.labels, params.siamese.evaluation_pairs, rng)
        kind, piece = part.split("_")
        metrics.setdefault(kind, {})[piece] = siamese.evaluate_pairs(embedded[part], pairs, same, params.margin)

    files.write_weights(f"models/siamese-{name}.weights.h5", model)
    files.write_arrays(f"features/siamese-{name}", digits.test_embeddings(sets, embedded))
    files.write_json(f"metrics/train_siamese/{name}.json", metrics)
    checkpoint.delete()


if __name__ == "__main__":
    run(main)
