"""Train the dense embedding net on all ten digits or on the seen ones: train_dense_embedding.py all|seen."""

import argparse

from pydantic import Field

from oneshot.dense_embedding_params import DenseEmbeddingParams
from oneshot.params import Schema, load
from oneshot.stage import run


class Params(Schema):
    """The leaves that this stage reads."""

    seed: int = Field(ge=0)
    dense_embedding: DenseEmbeddingParams


def main() -> None:
    """Write the net's weights, its embeddings of all test images, its curves, and its test figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("digits", choices=["all", "seen"])
    which = parser.parse_args().digits
    params = load(Params)

    from oneshot import dense_embedding, device, digits, files
    from oneshot.checkpoint import Checkpoint
    from oneshot.curves import Curves
    from oneshot.training import embedder, judge

    sets = digits.load("data/raw/mnist", "data/splits/mnist")
    kinds = ["seen", "unseen"] if which == "all" else ["seen"]
    train, validation, test = (
        digits.join([sets[f"{kind}_{part}"] for kind in kinds]) for part in ("train", "validation", "test")
    )
    device.seed_initialisation(params.seed)
    model = dense_embedding.build(len(set(train.labels)))
    checkpoint = Checkpoint(".checkpoints", f"dense-{which}", params.model_dump_json(), train.images, train.labels)
    curves = Curves(f"plots/curves/dense-{which}")
    dense_embedding.train(
        model,
        train,
        validation,
        seed=params.seed,
        checkpoint=checkpoint,
        on_epoch=curves.add,
        **params.dense_embedding.model_dump(),
    )
    curves.close()

    embed = embedder(dense_embedding.cut(model))
    embedded = {part: embed(sets[part].images) for part in ("seen_test", "unseen_test")}
    files.write_weights(f"models/dense-{which}.weights.h5", model)
    files.write_arrays(f"features/dense-{which}", digits.test_embeddings(sets, embedded))
    files.write_json(
        f"metrics/train_dense_embedding/{which}.json", {"test": judge(embedder(model)(test.images), test.labels)}
    )
    checkpoint.delete()


if __name__ == "__main__":
    run(main)
