"""Train the report's dense embedding net on all ten digits or on the seen ones."""

from oneshot.core.environment import ComputeParams
from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run
from oneshot.dense_embedding.params import DenseEmbeddingParams
from oneshot.nets.table import DENSE, NETS


class Params(Schema):
    """The parameters that this stage reads."""

    compute: ComputeParams
    seed: Seed
    dense_embedding: DenseEmbeddingParams


def main(params: Params, name: str) -> str:
    """Write the net's weights, what it makes of test images, learning curves and test metrics; return one."""
    import numpy as np

    from oneshot.core import environment, files
    from oneshot.core.images import join
    from oneshot.datasets import mnist
    from oneshot.dense_embedding import net, training
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.curves import Curves
    from oneshot.training.maps import last_maps
    from oneshot.training.prediction import classification_metrics, embedder
    from oneshot.training.tensorflow import seed_initialisation

    parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
    groups = ("seen", "unseen") if NETS[name].classes == "all" else ("seen",)
    train, validation, test = (
        join([parts[f"{group}_{part}"] for group in groups]) for part in ("train", "validation", "test")
    )
    classes = np.unique(train.labels)
    train, validation, test = (part.relabelled(classes) for part in (train, validation, test))
    recipe = params.dense_embedding

    fixed = environment.determinants(params.compute)
    seed_initialisation(params.seed)
    model = net.build(len(classes))
    checkpoint = Checkpoint(
        ".checkpoints", name, recipe.model_dump_json(), str(params.seed), fixed, *train, *validation
    )
    curves = Curves(f"plots/curves/{name}.csv")
    training.train(model, train, validation, recipe, seed=params.seed, checkpoint=checkpoint, on_epoch=curves.add)

    embed, read_maps = embedder(net.embedding(model)), embedder(last_maps(model))
    embedded, maps = ({part: read(parts[part].images) for part in mnist.TEST_PARTS} for read in (embed, read_maps))
    files.write_weights(f"models/{name}.weights.h5", model)
    # For the statistics of a transform.
    seen = {"seen_maps": read_maps(validation.images), "seen_labels": validation.labels}
    features = mnist.test_features(parts, embeddings=embedded, maps=maps) | seen
    files.write_features(f"features/{name}", features, net=f"models/{name}.weights.h5")
    metrics = {"test": classification_metrics(embedder(model)(test.images), test.labels)}
    files.write_json(f"metrics/train_dense_embedding/{name}.json", metrics)
    checkpoint.delete()
    return f"{name}: test accuracy {metrics['test']['accuracy']:.3f}"


if __name__ == "__main__":
    run(main, Params, net=DENSE)
