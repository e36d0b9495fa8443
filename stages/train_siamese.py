"""Train the report's siamese net on the seen digits, with two or three dimensions."""

from oneshot.core.environment import ComputeParams
from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run
from oneshot.nets.table import NETS, SIAMESE
from oneshot.siamese.params import Margin, SiameseParams


class Params(Schema):
    """The parameters that this stage reads."""

    compute: ComputeParams
    seed: Seed
    margin: Margin
    siamese: SiameseParams


def main(params: Params, name: str) -> str:
    """Write the net's weights, what it makes of test images, learning curves and metrics on pairs; return one."""
    from oneshot.core import environment, files
    from oneshot.datasets import mnist
    from oneshot.siamese import net, training
    from oneshot.siamese.params import Recipe
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.curves import Curves
    from oneshot.training.maps import last_maps
    from oneshot.training.prediction import embedder
    from oneshot.training.tensorflow import seed_initialisation

    parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
    train, validation = parts["seen_train"], parts["seen_validation"]
    recipe = Recipe(margin=params.margin, **dict(params.siamese))

    fixed = environment.determinants(params.compute)
    seed_initialisation(params.seed)
    model = net.build(NETS[name].dimensions, recipe.dropout)
    checkpoint = Checkpoint(
        ".checkpoints", name, recipe.model_dump_json(), str(params.seed), fixed, *train, *validation
    )
    curves = Curves(f"plots/curves/{name}.csv")
    training.train(model, train, validation, recipe, seed=params.seed, checkpoint=checkpoint, on_epoch=curves.add)

    embed, read_maps = embedder(model), embedder(last_maps(model))
    embedded, maps = ({part: read(parts[part].images) for part in mnist.TEST_PARTS} for read in (embed, read_maps))
    metrics = {
        part.removesuffix("_test"): {
            "test": training.part_metrics(embeddings, parts[part].labels, part, recipe, params.seed)
        }
        for part, embeddings in embedded.items()
    }
    files.write_weights(f"models/{name}.weights.h5", model)
    # For the statistics of a transform.
    seen = {"seen_maps": read_maps(validation.images), "seen_labels": validation.labels}
    features = mnist.test_features(parts, embeddings=embedded, maps=maps) | seen
    files.write_features(f"features/{name}", features, net=f"models/{name}.weights.h5")
    files.write_json(f"metrics/train_siamese/{name}.json", metrics)
    checkpoint.delete()
    return f"{name}: pairs of unseen digits, AUC {metrics['unseen']['test']['auc']:.3f}"


if __name__ == "__main__":
    run(main, Params, net=SIAMESE)
