"""The report's siamese net: one net that embeds both images of a pair (report, section MNIST)."""

from oneshot.nets.architecture import ARCHITECTURES
from oneshot.training.build import keras_layers
from oneshot.training.tensorflow import keras


def build(dimensions: int, dropout: float) -> keras.Sequential:
    """Build the shared net: (n, 28, 28, 1) float32 -> embedding (n, dimensions) float32; 39,426 parameters in 2-D.

    dropout: rate after each pooling.
    """
    net = ARCHITECTURES["siamese"]
    layers = [keras.Input(net.shape), *keras_layers(net.layers(dimensions), dropout)]
    return keras.Sequential(layers, name=f"siamese-{dimensions}d")
