"""Using a trained ConvNet: logits or representations of many images, by the fastest convolution."""

from collections.abc import Callable

import numpy as np

from oneshot.convnet import net
from oneshot.core.images import LabelledImages
from oneshot.training.prediction import classification_metrics, in_batches
from oneshot.training.tensorflow import has_gpu, keras, tf

# Images per batch; with sizes such as 250 the last digits depend on the processor's cache.
BATCH = 256


def use_winograd(convolution: str) -> bool:
    """Whether "auto", "winograd" or "plain" means Winograd's convolution here: it is faster on a CPU, not on a GPU."""
    return convolution == "winograd" or (convolution == "auto" and not has_gpu())


def accelerate(model: keras.Sequential, convolution: str) -> keras.Sequential:
    """Copy a plain net into one with the convolution that `use_winograd` chooses."""
    copy = net.build(model.get_layer("logits").units, fast=use_winograd(convolution))
    copy.set_weights(model.get_weights())
    return copy


def predictor(model: keras.Sequential, *, side: int = net.SIDE) -> Callable[[np.ndarray], np.ndarray]:
    """Make a function that runs a net for inference: images (n, 32, 32, 3) uint8 -> logits (n, classes) float32.

    side: to which the images are shrunk. Keep the function for further calls: it is compiled on the first one.
    """

    @tf.function(reduce_retracing=True)
    def forward(pixels):
        inputs = net.standardize(net.shrink(tf.cast(pixels, tf.float32), side))
        return net.forward(model, inputs)

    return lambda images: in_batches(forward, images, BATCH, "evaluating")


def test_metrics(model: keras.Sequential, test_set: LabelledImages) -> dict[str, dict[str, float]]:
    """Loss (nats) and accuracy on test images: plain, and with the logits of each image and its mirror image averaged.

    test_set: images (n, 32, 32, 3) uint8, labels 0 .. classes - 1; returns {"test": ..., "test_flip_averaged": ...}.
    """
    predict = predictor(model)
    logits = predict(test_set.images)
    averaged = (logits + predict(test_set.images[:, :, ::-1])) / 2
    return {
        "test": classification_metrics(logits, test_set.labels),
        "test_flip_averaged": classification_metrics(averaged, test_set.labels),
    }


def layer_reader(model: keras.Sequential, *, side: int = net.SIDE) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Make a function that computes what few-shot learning uses of a plain net, of images (n, 32, 32, 3) uint8.

    side: to which the images are shrunk. The function, compiled on its first call, returns "linear", the 600 units of
    the representation before ReLU, and "pooled", the means of the 400 last maps; both (n, units) float32.
    """

    @tf.function(reduce_retracing=True)
    def forward(pixels):
        inputs = net.standardize(net.shrink(tf.cast(pixels, tf.float32), side))
        maps = net.forward(model, inputs, until=net.LAST_MAPS)
        return tf.concat([net.linear_units(model, maps), tf.reduce_mean(maps, (1, 2))], axis=1)

    units = model.get_layer("representation").units

    def read(images):
        outputs = in_batches(forward, images, BATCH, "evaluating")
        return {"linear": outputs[:, :units], "pooled": outputs[:, units:]}

    return read


def extract_features(model: keras.Sequential, images: np.ndarray, *, side: int = net.SIDE) -> dict[str, np.ndarray]:
    """Compute the layers of `layer_reader` for images (n, 32, 32, 3) uint8 and for their mirror images.

    Returns "linear" and "pooled", both also as "..._mirrored", and "embeddings", the representation after ReLU.
    """
    read = layer_reader(model, side=side)
    views = {"": read(images), "_mirrored": read(images[:, :, ::-1])}
    found = {f"{layer}{view}": values for view, layers in views.items() for layer, values in layers.items()}
    return {"embeddings": np.maximum(found["linear"], 0), **found}
