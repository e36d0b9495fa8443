"""Training at a smaller side by a net of that side, whose dense layer has only the cells of the smaller map.

Enlarging a map by repeating its cells would give the same function, but in each step all weights of the large dense
layer would pass through memory, which at side 16 took 8% to 22% of the time (docs/recipe.md). Moving to the larger net
divides each weight among the copies of its cell, and moving to the smaller one adds them up; both keep the net's
outputs.
"""

import numpy as np

from oneshot.convnet import net
from oneshot.training.tensorflow import keras, known_size, tf


def net_of_side(model: keras.Sequential, side: int) -> keras.Sequential:
    """Return a net with the layers of `model`, (n, 32, 32, 3) -> logits, for images (n, side, side, 3); or `model`."""
    if side == net.SIDE:
        return model
    return keras.models.clone_model(model, input_tensors=keras.Input((side, side, 3)))


def copies_of_a_cell(model: keras.Sequential) -> float:
    """How many cells of the 8x8 map each cell of the net's last map stands for (a mean)."""
    return (net.SIDE / known_size(model.inputs[0], 1)) ** 2


def move(source: list[tf.Variable], target: list[tf.Variable]) -> None:
    """Copy variables of one net, and of its optimizer, to those of the same net of another side."""
    for old, new in zip(source, target, strict=True):
        values = old.numpy()
        new.assign(values if old.shape == new.shape else resize(values, known_size(tf.convert_to_tensor(new), 0)))


def resize(kernel: np.ndarray, rows: int) -> np.ndarray:
    """Resize a dense layer's kernel from or to the full map: (8 * 8 * channels, units) <-> (rows, units)."""
    many, few = max(rows, len(kernel)), min(rows, len(kernel))
    channels = many // net.MAP**2
    cells = round((few // channels) ** 0.5)
    places = net.nearest_cells(cells)
    if rows == few:
        return net.kernel_of_fewer_cells(tf.constant(kernel), cells).numpy()
    counts = np.bincount(places)[places].astype(np.float32)
    small = kernel.reshape(cells, cells, channels, -1)
    return (small[places][:, places] / (counts[:, None] * counts)[..., None, None]).reshape(rows, -1)
