"""Compare the 6-class net with other ways to get features, on the same images, episodes and number of steps.

Photographs: narrow nets see the seen classes, shrunk, and classify the unseen ones, which choose nothing: the learning
rate of a loss that is not the recipe's own is chosen on a fold of the seen classes. Digits: nets of the report's size
see the five seen digits and classify the others.
"""

import time
from functools import partial
from pathlib import Path

import narrow
import numpy as np
import pandas as pd
import study
import trainings

from oneshot.datasets import mnist
from oneshot.dense_embedding.params import DenseEmbeddingParams
from oneshot.evaluation.transforms import FeatureTransform
from oneshot.page.spread import half_width

RATES = (0.1, 0.03)
PLAIN = {"feature_norm_penalty": 0.0, "dense_classification_loss": 0.0}

# Of an arm: features (n, d) by method, labels (n,), and the learning rate that was chosen.
Found = tuple[dict[str, np.ndarray], np.ndarray, float | None]


def photographs(arm: str, params: study.Params, scratch: Path) -> Found:
    """Photographs by their pixels, or by a net with random weights or that the plain or the default recipe trained.

    "pretrained": by a net that others trained on other photographs.
    """
    classes = params.cifar10.seen_classes, params.cifar10.unseen_classes
    train, validation, seen, unseen = narrow.photographs(*classes, params)
    if arm == "pixels":
        return raw_and_cl2n(seen.images, unseen.images), unseen.labels, None
    if arm == "pretrained":
        import pretrained

        return raw_and_cl2n(*map(pretrained.represent, (seen.images, unseen.images))), unseen.labels, None
    model, recipe = narrow.build(train, params, {} if arm == "default" else PLAIN)
    if arm != "random":
        trainings.fit("convnet", model, train, validation, recipe, params, scratch)
    return narrow.by_methods(narrow.represent(model, seen, unseen)), unseen.labels, None


def photographs_by_loss(loss: str, params: study.Params, _scratch: Path) -> Found:
    """Photographs by a net that one of metric_losses.LOSSES trained."""
    import metric_losses

    def made(classes: tuple[list[int], list[int]], rate: float):
        train, _, seen, held_out = narrow.photographs(*classes, params)
        model, recipe = narrow.build(train, params, PLAIN | {"learning_rate": rate})
        metric_losses.train(model, train, recipe, loss, params.seed)
        return narrow.by_methods(narrow.represent(model, seen, held_out)), held_out.labels

    fold = next(iter(narrow.folds().values()))
    scores = {rate: narrow.measure(*made(fold, rate), params.seed)["accuracy"].mean() for rate in RATES}
    rate = max(scores, key=scores.__getitem__)
    print(f"{loss}: learning rate {rate} of {scores}", flush=True)
    return *made((params.cifar10.seen_classes, params.cifar10.unseen_classes), rate), rate


def digits(arm: str, params: study.Params, scratch: Path) -> Found:
    """Test images of the unseen digits by their pixels, or by a net with 64 units."""
    from oneshot.siamese import net
    from oneshot.training.prediction import embedder
    from oneshot.training.tensorflow import keras, seed_initialisation

    parts = mnist.read_parts("data/raw/mnist", "data/splits/mnist")
    train, validation, test = (parts[name] for name in ("seen_train", "seen_validation", "unseen_test"))
    if arm == "pixels":
        return raw_and_cl2n(validation.images, test.images), test.labels, None
    if arm == "siamese":
        model = trainings.siamese_net(64, train, validation, params, scratch)
    else:
        seed_initialisation(params.seed)
        model = net.build(64, params.siamese.dropout)
    if arm == "classifier":
        seen_digits = params.mnist.seen_digits
        logits = keras.layers.Dense(len(seen_digits), name="logits")
        classifier = keras.Sequential([*model.layers, keras.layers.ReLU(name="relu"), logits])
        classifier.build((None, 28, 28, 1))
        recipe = DenseEmbeddingParams(**params.siamese.model_dump(include={"epochs", "batch", "learning_rate"}))
        labelled, others = (part.relabelled(seen_digits) for part in (train, validation))
        trainings.fit("dense_embedding", classifier, labelled, others, recipe, params, scratch)
    embed = embedder(model)
    return raw_and_cl2n(embed(validation.images), embed(test.images)), test.labels, None


def raw_and_cl2n(seen: np.ndarray, unseen: np.ndarray) -> dict[str, np.ndarray]:
    """Features (n, ...) of unseen classes as they are and by cl2n, with the mean of those of seen classes: (n, d)."""
    seen, unseen = (features.reshape(len(features), -1).astype(np.float32) for features in (seen, unseen))
    return {"raw": unseen, "cl2n": FeatureTransform("cl2n").fit(seen).transform(unseen)}


ARMS = {
    **{arm: partial(photographs, arm) for arm in ("pixels", "random", "plain", "default", "pretrained")},
    **{loss: partial(photographs_by_loss, loss) for loss in ("cosine", "supcon", "prototypical")},
    **{f"digits-{arm}": partial(digits, arm) for arm in ("pixels", "random", "classifier", "siamese")},
}


def one(arm: str, seed: int) -> None:
    """Measure one way with one seed."""
    find, part = study.chosen("arm", arm, ARMS), f"{arm}-{seed}"
    params, start = study.enter().model_copy(update={"seed": seed}), time.process_time()
    features, labels, rate = find(params, study.scratch("baselines", part))
    table = narrow.measure(features, labels, seed).assign(arm=arm, seed=seed, learning_rate=rate)
    study.write_part("baselines", part, table.assign(processor_minutes=(time.process_time() - start) / 60))


def compare(values: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of the columns arm, method, shots, seed, accuracy; interval_95: half-width by Student's t."""
    by_arm = values.groupby(["arm", "method", "shots"], sort=False)["accuracy"]
    found = by_arm.agg(accuracy="mean", interval_95="std", trainings="count").reset_index()
    found["interval_95"] = half_width(found["interval_95"], found["trainings"])
    found["arm"] = pd.Categorical(found["arm"], list(ARMS))
    return found.sort_values(["arm", "shots"], kind="stable")


if __name__ == "__main__":
    study.main(__doc__, one, lambda: study.write_table("baselines", compare(study.parts("baselines"))))
