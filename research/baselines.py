"""Compare the 6-class net with other ways to get features, on the same images, episodes and number of steps.

The nets are narrow and see the six seen classes, shrunk; they classify the unseen classes, which choose nothing: the
learning rate of a loss that is not the recipe's own is chosen on a fold of the seen classes. Digits: nets of the
report's size on the five seen digits, measured on the unseen ones.

    python baselines.py ARM SEED    one way and seed: parts/baselines/ARM-SEED.csv
    python baselines.py             tables/baselines.csv: means over seeds, and 95% intervals
"""

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd
import study
from folds import SIDE, UNITS, WIDTHS, all_folds, mean_and_interval

from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages, first_of_each
from oneshot.core.params import validate
from oneshot.datasets import cifar10, mnist
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.transforms import FeatureTransform, layers_of, transform_features
from oneshot.splits.split import split_classes

EPOCHS, SHOTS, EPISODES = 3, (1, 5), 2000
EVALUATED, SEEN = 1500, 400  # images of each unseen class, and of each seen class for the statistics
METHODS = ("raw", "cl2n", "flip_prerelu_gap_whitened")
RATES = (0.1, 0.03)
PIXELS, RANDOM = "pixels", "random"
# Weights of the two parts that the default recipe adds to the cross-entropy.
RECIPES = {"plain": (0.0, 0.0), "default": (3.0, 1.0)}
METRIC = ("cosine", "supcon", "prototypical")
PHOTOGRAPHS = (PIXELS, RANDOM, *RECIPES, *METRIC)
DIGITS = tuple(f"digits-{arm}" for arm in (PIXELS, RANDOM, "classifier", "siamese"))


def measured(features: Mapping[str, np.ndarray], labels: np.ndarray, seed: int) -> list[tuple[str, int, float]]:
    """Classify all images from few examples: {method: (n, d)}, labels (n,) -> method, shots, accuracy."""
    classes, found = np.unique(labels).tolist(), []
    for shots in SHOTS:
        support = draw_episodes(labels, classes, episodes=EPISODES, shots=shots, seed=seed)
        for method, values in features.items():
            found.append((method, shots, float(accuracy(classify_episodes(values, labels, classes, support)).mean())))
    return found


def of_pixels(unseen: LabelledImages, seen: LabelledImages) -> dict[str, np.ndarray]:
    """Features that nobody learned: pixels (n, d) float32, plain and by cl2n."""
    new, known = (part.images.reshape(len(part.labels), -1).astype(np.float32) for part in (unseen, seen))
    return {"raw": new, "cl2n": FeatureTransform("cl2n").fit(known).transform(new)}


def train_net(
    arm: str, images: LabelledImages, validation: LabelledImages, params: study.Params, rate: float | None = None
):
    """Train a narrow net by one of PHOTOGRAPHS but pixels; images with labels 0 .. classes - 1; returns a plain net."""
    import metric_losses

    from oneshot.convnet import net, training
    from oneshot.convnet.params import Recipe
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.tensorflow import seed_initialisation

    weights = RECIPES.get(arm, (0.0, 0.0))
    changes: dict[str, object] = {"resolution_schedule": [(SIDE, EPOCHS)]}
    changes |= dict(zip(("feature_norm_penalty", "dense_classification_loss"), weights, strict=True))
    if rate:
        changes["learning_rate"] = rate
    recipe = validate(params.convnet.recipe_of("6-class").model_dump() | changes, Recipe)
    seed_initialisation(params.seed)
    classes = len(np.unique(images.labels))
    model = net.build(
        classes, widths=WIDTHS, units=UNITS, batch_norm=recipe.batch_norm, dropout_units=recipe.dropout_units
    )
    if arm in RECIPES:
        checkpoint = Checkpoint(".checkpoints", f"baselines-{arm}-{params.seed}", recipe.model_dump_json())
        options = {"seed": params.seed, "checkpoint": checkpoint, "on_epoch": lambda row: None}
        training.train(model, images, validation, recipe, **options)
        checkpoint.delete()
    elif arm in METRIC:
        metric_losses.train(model, images, recipe, arm, params.seed)
    return net.fold(model)


def of_net(model, unseen: LabelledImages, seen: LabelledImages) -> dict[str, np.ndarray]:
    """Features of images by a net: {method: (n, d)}."""
    from oneshot.convnet import inference

    new, known = (
        layers_of(inference.extract_features(model, part.images, side=SIDE), np.arange(len(part.labels)))
        for part in (unseen, seen)
    )
    return {method: transform_features(method, new, known, seen.labels) for method in METHODS}


def images_of(trained_on: list[int], held_out_from: list[int], params: study.Params) -> list[LabelledImages]:
    """Images of CIFAR-10 for a net: to train and to validate it, seen ones for the statistics, held-out ones."""
    data = cifar10.read("data/raw/cifar10")
    settings = params.cifar10.validation_per_class, params.cifar10.limit_per_class, params.seed
    trained, held_out = (
        data.parts(split_classes(data.labels, cifar10.TRAINING, classes, *settings))
        for classes in (trained_on, held_out_from)
    )
    train, validation = (trained[part].relabelled(trained_on) for part in ("train", "validation"))
    return [train, validation, first_of_each(trained["train"], SEEN), first_of_each(held_out["train"], EVALUATED)]


def photographs(arm: str, params: study.Params) -> tuple[list[tuple[str, int, float]], float | None]:
    """Measure one way on the unseen classes: rows of `measured`, and the learning rate that was chosen for it."""
    rate = None
    if arm in METRIC:
        train, validation, seen, held_out = images_of(*next(iter(all_folds().values())), params)
        scores = {}
        for tried in RATES:
            features = of_net(train_net(arm, train, validation, params, tried), held_out, seen)
            scores[tried] = np.mean([found for _, _, found in measured(features, held_out.labels, params.seed)])
        rate = max(scores, key=scores.__getitem__)
        print(f"{arm}: learning rate {rate} of {scores}", flush=True)
    classes = params.cifar10.seen_classes, params.cifar10.unseen_classes
    train, validation, seen, unseen = images_of(*classes, params)
    if arm == PIXELS:
        return measured(of_pixels(unseen, seen), unseen.labels, params.seed), rate
    return measured(
        of_net(train_net(arm, train, validation, params, rate), unseen, seen), unseen.labels, params.seed
    ), rate


def digits(arm: str, params: study.Params) -> list[tuple[str, int, float]]:
    """Measure one way on test images of the unseen digits, by nets with 64 units: rows of `measured`."""
    from oneshot.dense_embedding import training as classification
    from oneshot.dense_embedding.params import DenseEmbeddingParams
    from oneshot.siamese import net
    from oneshot.siamese import training as siamese
    from oneshot.siamese.params import Recipe
    from oneshot.training.checkpoint import Checkpoint
    from oneshot.training.prediction import embedder
    from oneshot.training.tensorflow import keras, seed_initialisation

    parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
    train, validation, test = (parts[name] for name in ("seen_train", "seen_validation", "unseen_test"))
    if arm == PIXELS:
        return measured(of_pixels(test, validation), test.labels, params.seed)
    seed_initialisation(params.seed)
    model = net.build(64, params.siamese.dropout)
    options = {"seed": params.seed, "on_epoch": lambda row: None}
    checkpoint = Checkpoint(".checkpoints", f"baselines-{arm}-{params.seed}", str(params))
    if arm == "siamese":
        recipe = Recipe(margin=params.margin, **params.siamese.model_dump())
        siamese.train(model, train, validation, recipe, checkpoint=checkpoint, **options)
    elif arm == "classifier":
        logits = keras.layers.Dense(len(params.mnist.seen_digits), name="logits")
        relu = keras.layers.ReLU(name="relu")
        classifier = keras.Sequential([*model.layers, relu, logits])
        classifier.build((None, 28, 28, 1))
        labelled = [part.relabelled(params.mnist.seen_digits) for part in (train, validation)]
        same = {name: getattr(params.siamese, name) for name in ("epochs", "batch", "learning_rate")}
        recipe = DenseEmbeddingParams(**same)
        classification.train(classifier, labelled[0], labelled[1], recipe, checkpoint=checkpoint, **options)
    checkpoint.delete()
    embed = embedder(model)
    new, known = embed(test.images), embed(validation.images)
    made = {"raw": new, "cl2n": FeatureTransform("cl2n").fit(known).transform(new)}
    return measured(made, test.labels, params.seed)


def one(arm: str, seed: int) -> None:
    """Measure one way with one seed; raises UserError for another way."""
    if arm not in (*PHOTOGRAPHS, *DIGITS):
        raise UserError(f"there is no {arm}: name one of {', '.join((*PHOTOGRAPHS, *DIGITS))}")
    params = study.enter().model_copy(update={"seed": seed})
    start, rate = time.process_time(), None
    if arm in DIGITS:
        rows = digits(arm.removeprefix("digits-"), params)
    else:
        rows, rate = photographs(arm, params)
    minutes = (time.process_time() - start) / 60
    table = pd.DataFrame(rows, columns=["method", "shots", "accuracy"])
    fixed = {"arm": arm, "seed": seed, "learning_rate": rate, "processor_minutes": minutes}
    study.write_part("baselines", f"{arm}-{seed}", table.assign(**fixed))


def compare(values: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of the columns arm, method, shots, seed, accuracy; interval_95: half-width by Student's t."""
    keys = ["arm", "method", "shots"]
    by_seed = values.pivot_table(index="seed", columns=keys, values="accuracy", sort=False)
    mean, half = mean_and_interval(by_seed)
    table = pd.DataFrame({"accuracy": mean, "interval_95": half, "trainings": by_seed.count()}).reset_index()
    order = [*PHOTOGRAPHS, *DIGITS]
    return table.sort_values(
        ["arm", "shots"], key=lambda column: column.map(order.index) if column.name == "arm" else column, kind="stable"
    )


if __name__ == "__main__":
    study.main(__doc__, one, lambda: study.write_table("baselines", compare(study.parts("baselines"))))
