"""The last maps of a digit net: what it makes of an image before its embedding."""

from oneshot.training.tensorflow import keras


def last_maps(model: keras.Model) -> keras.Model:
    """Cut a digit net after its last pooling: (n, 28, 28, 1) float32 -> (n, 576) float32; the weights are shared.

    The 64 maps of 7x7 are averaged over 3x3 overlapping cells of 3x3, which keep roughly where a stroke is.
    """
    layers = keras.layers
    maps = layers.AveragePooling2D(3, strides=2, name="cells")(model.get_layer("pool2").output)
    return keras.Model(model.inputs[0], layers.Flatten(name="maps")(maps))
