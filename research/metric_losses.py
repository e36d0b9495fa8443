"""Other ways to learn an embedding, for the study of baselines: a cosine head, supervised contrastive, prototypes."""

import numpy as np

from oneshot.convnet import net
from oneshot.convnet.params import Recipe
from oneshot.convnet.sides import move, net_of_side
from oneshot.convnet.training import epoch_batches, make_optimizer, whiten
from oneshot.convnet.whitening import WHITENED
from oneshot.core.images import LabelledImages
from oneshot.training.loop import average_over
from oneshot.training.tensorflow import keras, tf

SCALE = 10.0  # of the cosines, as Gidaris and Komodakis start with
TEMPERATURE = 0.1  # Khosla et al.'s
SHOTS = 5  # support images of each class in a batch


def cosine_head(embeddings: tf.Tensor, labels: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Compute the cross-entropy of scaled cosines with a weight for each class (Gidaris and Komodakis 2018): scalar.

    embeddings: (b, units) float32; labels: (b,) int32; kernel: (units, classes) float32.
    """
    cosines = tf.matmul(tf.math.l2_normalize(embeddings, 1), tf.math.l2_normalize(kernel, 0))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, SCALE * cosines))


def supervised_contrastive(embeddings: tf.Tensor, labels: tf.Tensor, _kernel: tf.Tensor) -> tf.Tensor:
    """Compute L_out of Khosla et al. (2020) on one view of each image: embeddings (b, units), labels (b,) -> scalar."""
    unit = tf.math.l2_normalize(embeddings, 1)
    others = 1 - tf.eye(tf.shape(labels)[0])
    logits = tf.matmul(unit, unit, transpose_b=True) / TEMPERATURE - 1e9 * (1 - others)
    positive = tf.cast(labels[:, None] == labels, tf.float32) * others
    logs = tf.nn.log_softmax(logits) * positive
    return -tf.reduce_mean(tf.math.divide_no_nan(tf.reduce_sum(logs, 1), tf.reduce_sum(positive, 1)))


def prototypical(embeddings: tf.Tensor, labels: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Compute the loss of an episode of all classes (Snell et al. 2017): embeddings (b, units), labels (b,) -> scalar.

    The first SHOTS images of each class in the batch are its support, all others are queries.
    """
    members = tf.one_hot(labels, kernel.shape[-1])
    support = members * tf.cast(tf.cumsum(members) <= SHOTS, tf.float32)
    prototypes = tf.math.divide_no_nan(
        tf.matmul(support, embeddings, transpose_a=True), tf.reduce_sum(support, 0)[:, None]
    )
    distances = tf.reduce_sum((embeddings[:, None] - prototypes) ** 2, 2)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, -distances)
    query = 1 - tf.reduce_sum(support, 1)
    return tf.reduce_sum(losses * query) / tf.reduce_sum(query)


LOSSES = {"cosine": cosine_head, "supcon": supervised_contrastive, "prototypical": prototypical}


def train(model: keras.Sequential, images: LabelledImages, recipe: Recipe, loss: str, seed: int) -> None:
    """Train a net of net.build in place by one of LOSSES: all else, also the number of steps, is the recipe's.

    images: (n, 32, 32, 3) uint8, labels 0 .. classes - 1; recipe: with images of one side.
    """
    sides = recipe.sides()
    side = sides[0][0]
    if recipe.whitening_filters:
        whiten(model, images.images[:WHITENED])
    small = net_of_side(model, side)
    move(model.variables, small.variables)
    kernel = small.get_layer("logits").kernel
    trained = [layer for layer in small.layers if layer.name not in ("conv1", "conv1_norm", "logits")]
    variables = [weight for layer in trained for weight in layer.trainable_weights]
    variables += [kernel] if loss == "cosine" else []
    steps = len(images.labels) // recipe.batch
    optimizer = make_optimizer(small, recipe, steps * len(sides))
    optimizer.build(variables)

    @tf.function
    def step(inputs, labels):
        with tf.GradientTape() as tape:
            embeddings = net.forward(small, inputs, training=True, until="representation")
            value = LOSSES[loss](embeddings, labels, tf.convert_to_tensor(kernel))
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return {"count": tf.size(labels), "loss": value}

    for epoch in range(len(sides)):
        batches = epoch_batches(images, recipe.batch, side, recipe.augmentation, seed, epoch)
        found = average_over(batches, step, total=steps, label=f"{loss}, epoch {epoch + 1}/{len(sides)}")
        if not np.isfinite(found["loss"]):
            raise FloatingPointError(f"the training by {loss} diverged")
    move(small.variables, model.variables)
