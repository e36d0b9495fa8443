"""Training the dense embedding nets: classification of digits by cross-entropy."""

from oneshot.core.images import LabelledImages
from oneshot.core.seeds import generator
from oneshot.dense_embedding.params import DenseEmbeddingParams
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.loop import OnEpoch, average_over, run_epochs
from oneshot.training.prediction import classification_metrics, embedder
from oneshot.training.tensorflow import adam, keras, tf


def train(
    model: keras.Sequential,
    train_set: LabelledImages,
    validation_set: LabelledImages,
    recipe: DenseEmbeddingParams,
    *,
    seed: int,
    checkpoint: Checkpoint,
    on_epoch: OnEpoch,
) -> list[dict[str, float]]:
    """Train a net of `net.build` in place; return the metrics of each epoch. Adam's rate falls to 0 by a half cosine.

    train_set, validation_set: images (n, 28, 28, 1) float32, labels 0 .. classes - 1. All batches are full, and the
    images left over are not used in that epoch: the matrix product of a smaller batch is split over threads by the size
    of the processor's cache, so its last digits depend on the processor.
    """
    images, labels, _ = train_set
    batch = min(recipe.batch, len(images))
    steps = len(images) // batch
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps * recipe.epochs)
    optimizer = adam(schedule)
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(inputs, targets):
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        correct = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), targets)
        return {"count": tf.size(targets), "loss": loss, "accuracy": tf.reduce_mean(tf.cast(correct, tf.float32))}

    def train_epoch(epoch):
        order = generator(seed, "order", epoch).permutation(len(images))
        chosen = (order[start : start + batch] for start in range(0, steps * batch, batch))
        batches = ((tf.constant(images[i]), tf.constant(labels[i], tf.int32)) for i in chosen)
        return average_over(batches, step, total=steps, label=f"epoch {epoch + 1}/{recipe.epochs}")

    predict = embedder(model)

    def validate(_epoch):
        return classification_metrics(predict(validation_set.images), validation_set.labels)

    return run_epochs(
        epochs=recipe.epochs,
        variables=[*model.variables, *optimizer.variables],
        train_epoch=train_epoch,
        validate=validate,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        rate=f"dense_embedding.learning_rate, which is {recipe.learning_rate:g}",
    )
