"""The report's dense embedding net: a digit classifier whose penultimate layer has two units."""

from oneshot.nets.architecture import ARCHITECTURES
from oneshot.training.build import keras_layers
from oneshot.training.tensorflow import keras


def build(classes: int) -> keras.Sequential:
    """Build the classifier: (n, 28, 28, 1) float32 -> logits (n, classes) float32; 43,872 parameters with 10 classes.

    The report gives the parameter count, which only this plausible net has. `embedding` is the 2-D layer.
    """
    net = ARCHITECTURES["dense_embedding"]
    layers = [keras.Input(net.shape), *keras_layers(net.layers(classes=classes))]
    return keras.Sequential(layers, name="dense-embedding")


def embedding(model: keras.Sequential) -> keras.Model:
    """Cut the net after its embedding: (n, 28, 28, 1) float32 -> (n, 2) float32; the weights are shared."""
    return keras.Model(model.inputs[0], model.get_layer("embedding").output)
