"""How a trained ConvNet is used: logits or representations of many images, by the fastest convolution there is."""

from collections.abc import Callable

import numpy as np

from oneshot import convnet
from oneshot.device import has_gpu, keras, tf
from oneshot.training import in_batches

VIEW = 250  # images a batch where nothing is trained


def use_winograd(convolution: str) -> bool:
    """Whether "auto", "winograd" or "plain" means Winograd's convolution here: it pays on a CPU, not on a GPU."""
    return convolution == "winograd" or (convolution == "auto" and not has_gpu())


def accelerate(model: keras.Sequential, convolution: str) -> keras.Sequential:
    """Copy a plain net into one with the convolution that `use_winograd` chooses."""
    copy = convnet.build(model.get_layer("logits").units, fast=use_winograd(convolution))
    copy.set_weights(model.get_weights())
    return copy


def predictor(
    model: keras.Sequential, *, side: int = convnet.SIDE, until: str = "logits"
) -> Callable[[np.ndarray], np.ndarray]:
    """Make the function that runs a net without training: images (n, 32, 32, 3) uint8 -> (n, units) float32.

    side: shrink the images to it; until: name of the last layer to run. Keep the function where it is used again: it is
    compiled on its first call.
    """

    @tf.function(reduce_retracing=True)
    def forward(pixels):
        inputs = convnet.standardize(convnet.shrink(tf.cast(pixels, tf.float32), side))
        return convnet.forward(model, inputs, until=until)

    return lambda images: in_batches(forward, images, VIEW, "evaluating")
