"""The report's ConvNet for CIFAR-10: plain when saved, with batch norm and fast convolutions in training.

The layers are those of the report's table (section "Structure du ConvNet"): 16,717,906 parameters with 6 classes,
16,720,310 with 10. In training, batch norm may follow each convolution and the dense layer, before the ReLU;
`fold` then folds it into the weights, so that the saved net has exactly the layers of the table.
"""

from collections.abc import Sequence

import numpy as np

from oneshot.convnet import winograd
from oneshot.nets import architecture
from oneshot.nets.architecture import ARCHITECTURES
from oneshot.training.tensorflow import keras, known_size, tf

_NET = ARCHITECTURES["convnet"]
SIDE = _NET.shape[0]
WIDTHS = tuple(tuple(filters for filters, _ in block) for block in _NET.blocks)
UNITS = _NET.units
LAST_MAPS = f"pool{len(WIDTHS)}"  # name of the layer whose outputs the dense layers work on
MAP = SIDE // 2 ** len(WIDTHS)  # side of the last map
MEAN, DEVIATION = np.array(architecture.MEAN, np.float32), np.array(architecture.DEVIATION, np.float32)


class Convolution(keras.layers.Conv2D):
    """A 3x3 'same' convolution by Winograd's algorithm: the same weights and results as Conv2D, faster on a CPU."""

    def call(self, inputs):
        """Convolve: (n, H, H, C) -> (n, H, H, filters), H a multiple of 4."""
        outputs = winograd.convolve(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            # pyright ignores that tf.custom_gradient changes what convolve returns.
            outputs = tf.nn.bias_add(outputs, self.bias)  # pyright: ignore[reportArgumentType]
        return self.activation(outputs)


class Normalization(keras.layers.Layer):
    """Batch norm followed by ReLU, as one fused operation over the last axis of (n, units) or (n, H, H, channels).

    The scale is 1, not learned: then the pooling may come first, which gives the norm a quarter of the cells.
    """

    MOMENTUM = 0.98
    EPSILON = 1e-5

    def build(self, input_shape):
        """Create offset, mean and variance: (channels,) each."""
        size = (input_shape[-1],)
        known = {"shape": size, "dtype": "float32", "autocast": False}
        self.offset = self.add_weight(**known, initializer="zeros", name="offset")
        self.mean = self.add_weight(**known, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(**known, initializer="ones", trainable=False, name="variance")

    def call(self, inputs, training=False):
        """Normalise by the batch's statistics in training, and by their moving averages otherwise."""
        maps = inputs if len(inputs.shape) == 4 else inputs[:, None, None, :]
        known = {} if training else {"mean": self.mean, "variance": self.variance}
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            maps, tf.ones_like(self.offset), self.offset, epsilon=self.EPSILON, is_training=training, **known
        )
        if training:
            self.mean.assign(self.MOMENTUM * self.mean + (1 - self.MOMENTUM) * mean)
            self.variance.assign(self.MOMENTUM * self.variance + (1 - self.MOMENTUM) * variance)
        return tf.reshape(tf.nn.relu(outputs), tf.shape(inputs))


def build(
    classes: int,
    *,
    widths: Sequence[Sequence[int]] = WIDTHS,
    units: int = UNITS,
    batch_norm: bool = False,
    fast: bool = False,
    precision: str = "float32",
    dropout_maps: float = 0.0,
    dropout_flatten: float = 0.0,
    dropout_units: float = 0.0,
) -> keras.Sequential:
    """Build the net: (n, 32, 32, 3) float32, see `standardize` -> logits (n, classes) float32.

    widths: filters of the convolutions before each pooling; units: of the layer `representation`, which is what
    one-shot learning uses (the report's by default; narrower nets train faster and serve to compare ideas);
    batch_norm: whether batch norm precedes each ReLU; fast: whether all convolutions but the first are Winograd's;
    precision: "bfloat16" for maps and products in that type (weights and logits stay float32; never with fast);
    dropout_maps: rate after each pooling; dropout_flatten: after flatten; dropout_units: after the dense layer.
    """
    layers = [keras.Input((SIDE, SIDE, 3))]
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"

    def add(kind, size, name, pool=None, **options):
        activation = None if batch_norm else "relu"
        layers.append(
            kind(
                size,
                **options,
                activation=activation,
                use_bias=not batch_norm,
                kernel_initializer="he_normal" if batch_norm else "glorot_uniform",
                dtype=policy,
                name=name,
            )
        )
        if pool:
            layers.append(keras.layers.MaxPooling2D(dtype=policy, name=pool))
        if batch_norm:
            layers.append(Normalization(dtype=policy, name=f"{name}_norm"))

    number = 0
    for block, block_widths in enumerate(widths, 1):
        for place, width in enumerate(block_widths, 1):
            number += 1
            # With three input channels Winograd's transforms save nothing.
            kind = Convolution if fast and number > 1 else keras.layers.Conv2D
            pool = f"pool{block}" if place == len(block_widths) else None
            add(kind, width, f"conv{number}", pool, kernel_size=3, padding="same")
        layers.append(keras.layers.Dropout(dropout_maps, dtype=policy, name=f"dropout{block}"))
    layers.append(keras.layers.Flatten(dtype=policy, name="flatten"))
    layers.append(keras.layers.Dropout(dropout_flatten, dtype=policy, name="dropout3"))
    add(keras.layers.Dense, units, "representation")
    layers.append(keras.layers.Dropout(dropout_units, dtype=policy, name="dropout4"))
    layers.append(keras.layers.Dense(classes, name="logits"))
    return keras.Sequential(layers, name=f"{classes}-class")


def forward(
    model: keras.Sequential, images: tf.Tensor, *, training: bool = False, after: str = "", until: str = "logits"
) -> tf.Tensor:
    """Run the net layer by layer on images of any side that is a multiple of 8: (n, side, side, 3) -> (n, units).

    If the side is below that of the net, the last map has fewer cells. The result is then that for the map enlarged to
    8x8 by repeating the nearest cells, so that the dense layer fits.
    until: name of the last layer to run (batch norm and ReLU included); after: name of a layer whose outputs are given
    in place of images, as another call with `until` returned them (one before flatten, or the representation). Raises
    ValueError for a name that the net lacks.
    """
    values = images
    cells = MAP
    first = _end(model, after) if after else 0
    for layer in model.layers[first : _end(model, until)]:
        if isinstance(layer, keras.layers.Flatten):
            cells = known_size(values, 1)
        if layer.name == "representation" and known_size(values, 1) < layer.kernel.shape[0]:
            values = _dense_of_fewer_cells(layer, values, cells)
        else:
            values = layer(values, training=training) if _has_mode(layer) else layer(values)
    return values


def standardize(images: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Turn pixel values 0..255 (n, H, H, 3) of any type into the net's inputs: float32 with mean 0 and deviation 1."""
    return (tf.cast(images, tf.float32) - MEAN) / DEVIATION


def shrink(images: tf.Tensor, side: int) -> tf.Tensor:
    """Shrink images by area means: (n, 32, 32, 3) float32 -> (n, side, side, 3)."""
    present = known_size(images, 1)
    if side == present:
        return images
    if present % side == 0:
        times = present // side
        return tf.nn.avg_pool2d(images, times, times, "VALID")
    return tf.image.resize(images, (side, side), method="area")


def fold(model: keras.Sequential) -> keras.Sequential:
    """Fold batch norm into kernels and biases; return a plain net with the same outputs."""
    kernels = iter(model.get_layer(f"conv{number}").kernel for number in range(1, 1 + sum(map(len, WIDTHS))))
    widths = [[next(kernels).shape[-1] for _ in block] for block in WIDTHS]
    plain = build(model.get_layer("logits").units, widths=widths, units=model.get_layer("representation").units)
    names = {layer.name for layer in model.layers}
    for layer in plain.layers:
        if not layer.weights:
            continue
        source = model.get_layer(layer.name)
        if f"{layer.name}_norm" not in names:
            layer.set_weights(source.get_weights())
            continue
        norm = model.get_layer(f"{layer.name}_norm")
        scale = 1 / np.sqrt(norm.variance.numpy() + norm.EPSILON)
        layer.set_weights([source.kernel.numpy() * scale, norm.offset.numpy() - norm.mean.numpy() * scale])
    return plain


def linear_units(model: keras.Sequential, maps: tf.Tensor) -> tf.Tensor:
    """Compute the representation without its ReLU from the outputs of LAST_MAPS: (n, H, H, channels) -> (n, units).

    model: a plain net (see `fold`).
    """
    layer, cells = model.get_layer("representation"), known_size(maps, 1)
    kernel = tf.convert_to_tensor(layer.kernel)
    if cells < MAP:
        kernel = kernel_of_fewer_cells(kernel, cells)
    return tf.nn.bias_add(tf.matmul(tf.reshape(maps, (-1, kernel.shape[0])), kernel), layer.bias)


def nearest_cells(cells: int) -> np.ndarray:
    """Which of the cells along one side of a smaller map each of the 8 cells of the full one repeats: (8,)."""
    return np.floor((np.arange(MAP) + 0.5) * cells / MAP).astype(int)


def kernel_of_fewer_cells(kernel: tf.Tensor, cells: int) -> tf.Tensor:
    """Turn a dense layer's kernel for 8x8 cells into one for fewer: (cells * cells * channels, units).

    Instead of repeating a cell, the kernel is summed over its copies, which gives the same result up to rounding. The
    sum is cheaper, and on a GPU TensorFlow has no deterministic gradient of the repetition.
    """
    units = known_size(kernel, 1)
    kernel = tf.reshape(kernel, (MAP, MAP, -1, units))
    counts = np.bincount(nearest_cells(cells))
    for axis in (0, 1):
        copies = tf.split(kernel, counts, axis)
        kernel = tf.concat([tf.reduce_sum(part, axis, keepdims=True) for part in copies], axis)
    return tf.reshape(kernel, (-1, units))


def _dense_of_fewer_cells(layer, values: tf.Tensor, cells: int) -> tf.Tensor:
    """Apply a dense layer of 8x8 cells to a map of fewer: (n, cells * cells * channels) -> (n, units)."""
    kernel = kernel_of_fewer_cells(tf.convert_to_tensor(layer.kernel), cells)
    outputs = tf.matmul(values, tf.cast(kernel, values.dtype))
    return layer.activation(outputs + tf.cast(layer.bias, outputs.dtype) if layer.use_bias else outputs)


def _end(model: keras.Sequential, name: str) -> int:
    """Return the position after a layer and its batch norm."""
    end = [layer.name for layer in model.layers].index(name) + 1
    while end < len(model.layers) and isinstance(model.layers[end], Normalization):
        end += 1
    return end


def _has_mode(layer) -> bool:
    return isinstance(layer, (Normalization, keras.layers.Dropout))
