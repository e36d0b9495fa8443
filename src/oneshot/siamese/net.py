"""The report's siamese net: one net that embeds both images of a pair (report, section MNIST)."""

from oneshot.training.tensorflow import keras


def build(dimensions: int, dropout: float) -> keras.Sequential:
    """Build the shared net: (n, 28, 28, 1) float32 -> embedding (n, dimensions) float32; 39,426 parameters in 2-D.

    The kernels, 3x3 and 4x4, follow from the report's parameter counts. dropout: rate after each pooling.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Dropout(dropout, name="dropout1"),
            layers.Conv2D(64, 4, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Dropout(dropout, name="dropout2"),
            layers.Flatten(name="flatten"),
            layers.Dense(dimensions, name="embedding"),
        ],
        name=f"siamese-{dimensions}d",
    )
