"""The siamese net of the report: two images, one shared net, their Euclidean distance, the contrastive loss."""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import roc_auc_score

from oneshot import augment
from oneshot.checkpoint import Checkpoint
from oneshot.device import keras, tf
from oneshot.digits import Digits
from oneshot.seeds import generator
from oneshot.training import average_over, embedder, run_epochs, seed_dropout


def build(dimensions: int, dropout: float) -> keras.Sequential:
    """Build the shared net: (n, 28, 28, 1) float32 -> embedding (n, dimensions) float32; 39,426 parameters in 2-D.

    The kernels, 3x3 and 4x4, follow from the report's parameter counts. dropout: rate after each pooling.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Dropout(dropout, name="dropout1"),
            layers.Conv2D(64, 4, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Dropout(dropout, name="dropout2"),
            layers.Flatten(name="flatten"),
            layers.Dense(dimensions, name="embedding"),
        ],
        name=f"siamese-{dimensions}d",
    )


def distances(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Euclidean distances between matching rows: (n, d), (n, d) -> (n,); the gradient at distance 0 is 0, not NaN."""
    squares = tf.reduce_sum(tf.square(first - second), axis=-1)
    apart = squares > 0
    return tf.where(apart, tf.sqrt(tf.where(apart, squares, 1.0)), 0.0)


def contrastive_loss(distance: tf.Tensor, same: tf.Tensor, margin: float) -> tf.Tensor:
    """Contrastive loss of each pair: y d^2 / 2 + (1 - y) max(0, margin - d)^2 / 2 (report, section MNIST).

    distance: (n,); same: (n,) float, y = 1 for a pair of one digit, 0 of two -> (n,).
    """
    pull = tf.square(distance) / 2
    push = tf.square(tf.maximum(0.0, margin - distance)) / 2
    return same * pull + (1 - same) * push


def draw_pairs(labels: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of different images, half of one digit and half of two, in random order.

    labels: (n,); count: number of pairs -> positions (count, 2) int64 and same (count,) float32.
    Raises ValueError where there are not two classes or a class has a single image.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    if len(classes) < 2 or sizes.min() < 2:
        raise ValueError(f"pairs need two classes of two images each, but the counts are {sizes.tolist()}")
    order = np.argsort(labels, kind="stable")
    rank = np.searchsorted(classes, labels)
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))

    same = (np.arange(count) % 2 == 0).astype(np.float32)
    first = rng.integers(len(labels), size=count)
    size, begin = sizes[rank[first]], start[rank[first]]
    # A partner is a step of 1..size-1 inside the class, or of 0.. past its end, both around the circle: never itself.
    inside = (place[first] - begin + 1 + rng.integers(size - 1)) % size + begin
    outside = (begin + size + rng.integers(len(labels) - size)) % len(labels)
    second = order[np.where(same == 1, inside, outside)]
    shuffle = rng.permutation(count)
    return np.stack([first, second], axis=1)[shuffle], same[shuffle]


def pair_figures(distance: np.ndarray, same: np.ndarray, margin: float) -> dict[str, float]:
    """Loss, accuracy and ROC AUC of pairs: (n,) and (n,) -> figures.

    A pair is taken for one digit where its distance is below margin / 2, halfway between what the loss asks of the two
    kinds. The AUC needs no threshold.
    """
    loss = contrastive_loss(tf.constant(distance, tf.float32), tf.constant(same, tf.float32), margin)
    return {
        "loss": float(np.mean(loss)),
        "accuracy": float(np.mean((distance < margin / 2) == (same == 1))),
        "auc": float(roc_auc_score(same, -distance)),
    }


def all_pairs(embeddings: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pair each embedding with each other once: (n, d), (n,) int -> distance, same: (n (n - 1) / 2,) float32 each."""
    count = tf.shape(labels)[0]
    first, second = tf.unstack(tf.where(tf.range(count)[:, None] < tf.range(count)), axis=1)
    distance = distances(tf.gather(embeddings, first), tf.gather(embeddings, second))
    return distance, tf.cast(tf.equal(tf.gather(labels, first), tf.gather(labels, second)), tf.float32)


def balanced_mean(values: tf.Tensor, same: tf.Tensor) -> tf.Tensor:
    """Mean over pairs in which the pairs of one digit and those of two have the same weight: (p,), (p,) -> scalar."""
    one = tf.math.divide_no_nan(tf.reduce_sum(values * same), tf.reduce_sum(same))
    two = tf.math.divide_no_nan(tf.reduce_sum(values * (1 - same)), tf.reduce_sum(1 - same))
    return (one + two) / 2


def shift_images(images: np.ndarray, most: float, rng: np.random.Generator) -> tf.Tensor:
    """Shift each image on its own, by up to `most` of its side either way: (n, H, H, 1) float32 -> the same."""
    still = {"rotation": 0.0, "shear": 0.0, "zoom": 0.0, "mirrored": np.zeros(len(images), bool)}
    shifts = augment.draw_transforms(rng, len(images), images.shape[1], width_shift=most, height_shift=most, **still)
    return augment.transform(images, shifts, "nearest", "bilinear")


def train(
    model: keras.Sequential,
    digits: Digits,
    validation: Digits,
    *,
    seed: int,
    margin: float,
    pairs: str,
    epochs: int,
    images_per_epoch: int,
    batch: int,
    learning_rate: float,
    shift: float,
    evaluation_pairs: int,
    checkpoint: Checkpoint,
    on_epoch: Callable[[dict[str, float]], None],
) -> list[dict[str, float]]:
    """Train the shared net in place by Adam; return one row of figures an epoch.

    digits, validation: what to train on and what to watch it by; pairs: "drawn", fresh balanced pairs each epoch, or
    "in_batch", all pairs of a batch's images, balanced by weight; batch: images a step, two a drawn pair;
    learning_rate: of the first step, falling to 0 by a half cosine; shift: of training images, part of the side.
    """
    steps = -(-images_per_epoch // batch)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps * epochs)
    optimizer = keras.optimizers.Adam(schedule)
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(images, labels):
        with tf.GradientTape() as tape:
            embeddings = model(images, training=True)
            if pairs == "in_batch":
                distance, same = all_pairs(embeddings, labels)
            else:
                # The pairs' first images, then their second ones.
                distance = distances(*tf.split(embeddings, 2))
                same = tf.cast(tf.equal(*tf.split(labels, 2)), tf.float32)
            loss = balanced_mean(contrastive_loss(distance, same, margin), same)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        right = tf.cast(tf.equal(distance < margin / 2, same > 0.5), tf.float32)
        return {"count": tf.size(labels), "loss": loss, "accuracy": balanced_mean(right, same)}

    def train_epoch(epoch):
        seed_dropout(model, seed, epoch)
        rng = generator(seed, "pairs", epoch)
        if pairs == "in_batch":
            passes = -(-images_per_epoch // len(digits.labels))
            order = np.concatenate([rng.permutation(len(digits.labels)) for _ in range(passes)])[:images_per_epoch]
            chosen = (order[i : i + batch] for i in range(0, images_per_epoch, batch))
        else:
            drawn, _ = draw_pairs(digits.labels, images_per_epoch // 2, rng)
            chosen = (drawn[i : i + batch // 2].T.ravel() for i in range(0, images_per_epoch // 2, batch // 2))
        shifts = generator(seed, "shifts", epoch)
        batches = (
            (shift_images(digits.images[i], shift, shifts), tf.constant(digits.labels[i], tf.int32)) for i in chosen
        )
        return average_over(batches, step, total=steps, label=f"epoch {epoch + 1}/{epochs}")

    watched = draw_pairs(validation.labels, evaluation_pairs, generator(seed, "validation pairs"))
    embed = embedder(model)

    def validate(_epoch):
        figures = evaluate_pairs(embed(validation.images), *watched, margin)
        return {"loss": figures["loss"], "accuracy": figures["accuracy"]}

    return run_epochs(
        epochs=epochs,
        variables=[*model.variables, *optimizer.variables],
        train_epoch=train_epoch,
        validate=validate,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )


def evaluate_pairs(embeddings: np.ndarray, pairs: np.ndarray, same: np.ndarray, margin: float) -> dict[str, float]:
    """Loss, accuracy and AUC of pairs of embeddings: (n, d), positions (p, 2), (p,) -> figures (see pair_figures)."""
    distance = np.linalg.norm(embeddings[pairs[:, 0]] - embeddings[pairs[:, 1]], axis=1)
    return pair_figures(distance, same, margin)
