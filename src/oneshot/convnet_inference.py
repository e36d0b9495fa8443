"""How a trained ConvNet is used: logits or representations of many images, by the fastest convolution there is."""

import numpy as np

from oneshot import convnet
from oneshot.device import has_gpu, keras, tf
from oneshot.training import progress

VIEW = 250  # images a batch where nothing is trained


def use_winograd(convolution: str) -> bool:
    """Whether "auto", "winograd" or "plain" means Winograd's convolution here: it pays on a CPU, not on a GPU."""
    return convolution == "winograd" or (convolution == "auto" and not has_gpu())


def accelerate(model: keras.Sequential, convolution: str) -> keras.Sequential:
    """Copy a plain net into one with the convolution that `use_winograd` chooses."""
    copy = convnet.build(model.get_layer("logits").units, fast=use_winograd(convolution))
    copy.set_weights(model.get_weights())
    return copy


def predict(
    model: keras.Sequential,
    images: np.ndarray,
    *,
    mirrored: bool = False,
    side: int = convnet.SIDE,
    until: str = "logits",
) -> np.ndarray:
    """Run a net without training on images (n, 32, 32, 3) uint8 -> (n, units) float32.

    mirrored: turn left and right; side: shrink the images to it; until: name of the last layer to run.
    """

    @tf.function(reduce_retracing=True)
    def forward(pixels):
        inputs = convnet.standardize(convnet.shrink(tf.cast(pixels, tf.float32), side))
        return convnet.forward(model, inputs[:, :, ::-1] if mirrored else inputs, until=until)

    starts = progress(range(0, len(images), VIEW), desc="evaluating", unit="batch")
    return np.concatenate([forward(tf.constant(images[start : start + VIEW])).numpy() for start in starts])
