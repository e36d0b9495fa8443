"""Training and evaluating the siamese nets: the contrastive loss of all pairs of a batch."""

import numpy as np

from oneshot.core.images import LabelledImages
from oneshot.core.seeds import generator
from oneshot.siamese.pairs import all_pairs, balanced_mean, contrastive_loss, evaluate_pairs, sample_pairs
from oneshot.siamese.params import Recipe
from oneshot.training import augment
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.loop import OnEpoch, average_over, run_epochs, seed_dropout
from oneshot.training.prediction import embedder
from oneshot.training.tensorflow import adam, keras, tf


def train(
    model: keras.Sequential,
    train_set: LabelledImages,
    validation_set: LabelledImages,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: Checkpoint,
    on_epoch: OnEpoch,
) -> list[dict[str, float]]:
    """Train a net of `net.build` in place; return the metrics of each epoch. Adam's rate falls to 0 by a half cosine.

    train_set, validation_set: images (n, 28, 28, 1) float32, labels (n,) integers. The loss of a step is the mean over
    all pairs of its images, with equal weight on pairs of the same digit and pairs of two digits. All batches are full
    (see dense_embedding.training).
    """
    images, labels, _ = train_set
    count, batch = recipe.images_per_epoch, min(recipe.batch, recipe.images_per_epoch)
    steps = count // batch
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps * recipe.epochs)
    optimizer = adam(schedule)
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(inputs, targets):
        with tf.GradientTape() as tape:
            distance, same = all_pairs(model(inputs, training=True), targets)
            loss = balanced_mean(contrastive_loss(distance, same, recipe.margin), same)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        correct = tf.cast(tf.equal(distance < recipe.margin / 2, same > 0.5), tf.float32)
        return {"count": tf.size(targets), "loss": loss, "accuracy": balanced_mean(correct, same)}

    def train_epoch(epoch):
        seed_dropout(model, seed, epoch)
        rng, shifts = generator(seed, "pairs", epoch), generator(seed, "shifts", epoch)
        passes = -(-count // len(labels))
        order = np.concatenate([rng.permutation(len(labels)) for _ in range(passes)])[:count]
        chosen = (order[start : start + batch] for start in range(0, steps * batch, batch))
        batches = ((augment.shift(images[i], recipe.shift, shifts), tf.constant(labels[i], tf.int32)) for i in chosen)
        return average_over(batches, step, total=steps, label=f"epoch {epoch + 1}/{recipe.epochs}")

    pairs, same = sample_pairs(validation_set.labels, recipe.evaluation_pairs, generator(seed, "validation pairs"))
    embed = embedder(model)

    def validate(_epoch):
        metrics = evaluate_pairs(embed(validation_set.images), pairs, same, recipe.margin)
        return {name: metrics[name] for name in ("loss", "accuracy")}

    return run_epochs(
        epochs=recipe.epochs,
        variables=[*model.variables, *optimizer.variables],
        train_epoch=train_epoch,
        validate=validate,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        rate=f"siamese.learning_rate, which is {recipe.learning_rate:g}, or the margin, {recipe.margin:g}",
    )


def part_metrics(embeddings: np.ndarray, labels: np.ndarray, part: str, recipe: Recipe, seed: int) -> dict[str, float]:
    """Metrics of random pairs of one part of the data: embeddings (n, d), labels (n,) -> see pairs.pair_metrics.

    part: the part's name, such as unseen_test; it seeds the pairs.
    """
    pairs, same = sample_pairs(labels, recipe.evaluation_pairs, generator(seed, f"{part} pairs"))
    return evaluate_pairs(embeddings, pairs, same, recipe.margin)
