"""The report's dense embedding net: a digit classifier whose last but one layer has two units."""

from collections.abc import Callable

from oneshot.checkpoint import Checkpoint
from oneshot.device import keras, tf
from oneshot.digits import Digits
from oneshot.seeds import generator
from oneshot.training import average_over, embedder, judge, run_epochs


def build(classes: int) -> keras.Sequential:
    """Build the classifier: (n, 28, 28, 1) float32 -> logits (n, classes) float32; 43,872 parameters with 10 classes.

    The layers follow from the parameter count: the only natural net that has it. `embedding` is the 2-D layer.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(2, name="embedding"),
            layers.Dense(classes, name="logits"),
        ],
        name="dense-embedding",
    )


def cut(model: keras.Sequential) -> keras.Model:
    """Cut the net after its embedding: (n, 28, 28, 1) float32 -> (n, 2) float32."""
    return keras.Model(model.inputs[0], model.get_layer("embedding").output)


def train(
    model: keras.Sequential,
    digits: Digits,
    validation: Digits,
    *,
    seed: int,
    epochs: int,
    batch: int,
    learning_rate: float,
    checkpoint: Checkpoint,
    on_epoch: Callable[[dict[str, float]], None],
) -> list[dict[str, float]]:
    """Train the classifier in place by Adam and cross-entropy; return one row of figures an epoch.

    digits, validation: labels are 0 .. classes - 1; batch: images a step; learning_rate falls to 0 by a half cosine.
    """
    steps = -(-len(digits.images) // batch)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps * epochs))
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(inputs, targets):
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), targets)
        return {"count": tf.size(targets), "loss": loss, "accuracy": tf.reduce_mean(tf.cast(right, tf.float32))}

    def train_epoch(epoch):
        order = generator(seed, "order", epoch).permutation(len(digits.images))
        chosen = (order[i : i + batch] for i in range(0, len(order), batch))
        batches = ((tf.constant(digits.images[i]), tf.constant(digits.labels[i], tf.int32)) for i in chosen)
        return average_over(batches, step, total=steps, label=f"epoch {epoch + 1}/{epochs}")

    predict = embedder(model)
    return run_epochs(
        epochs=epochs,
        variables=[*model.variables, *optimizer.variables],
        train_epoch=train_epoch,
        validate=lambda _epoch: judge(predict(validation.images), validation.labels),
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )
