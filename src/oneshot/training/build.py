"""A digit net's layers in Keras, from its architecture."""

from oneshot.nets.architecture import Layer
from oneshot.training.tensorflow import keras


def keras_layers(layers: list[Layer], dropout: float | None = None) -> list:
    """Make the layers of a net; dropout: rate after each pooling, None for no such layers."""
    made = []
    for layer in layers:
        if layer.kind == "conv":
            filters = layer.shape[-1]
            made.append(keras.layers.Conv2D(filters, layer.side, padding="same", activation="relu", name=layer.name))
        elif layer.kind == "pool":
            made.append(keras.layers.MaxPooling2D(name=layer.name))
            if dropout is not None:
                made.append(keras.layers.Dropout(dropout, name=layer.name.replace("pool", "dropout")))
        elif layer.kind == "flatten":
            made.append(keras.layers.Flatten(name=layer.name))
        else:
            made.append(keras.layers.Dense(layer.shape[-1], name=layer.name))
    return made
