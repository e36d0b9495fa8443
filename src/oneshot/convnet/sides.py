"""Training at a smaller side by a net of that side, whose dense layer has only the cells of the smaller map.

Enlarging a map by repeating its cells would give the same function, but in each step all weights of the large dense
layer would pass through memory: at side 16 a step then takes 12% more processor time, at side 24 5% (`python -m
benchmarks.sides`), of a training by the default recipe 4%. Moving to the larger net divides each weight among the
copies of its cell, and moving to the smaller one adds them up; both keep the net's outputs. Momentum is resized as the
weights that it will move.
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


def move(source: list[tf.Variable], target: list[tf.Variable], *, moments: bool = False) -> None:
    """Copy variables of one net, or of its optimizer, to those of the same net of another side; moments: see resize."""
    for old, new in zip(source, target, strict=True):
        values = old.numpy()
        if old.shape != new.shape:
            values = resize(values, known_size(tf.convert_to_tensor(new), 0), moments=moments)
        new.assign(values)


def resize(kernel: np.ndarray, rows: int, *, moments: bool = False) -> np.ndarray:
    """Resize a dense layer's kernel from or to the full map: (8 * 8 * channels, units) <-> (rows, units).

    moments: whether it is Adam's mean of the kernel's gradients or of their squares. A cell's weight has the gradient
    of each copy's, so these are repeated and averaged, not divided and summed.
    """
    many, few = max(rows, len(kernel)), min(rows, len(kernel))
    channels = many // net.MAP**2
    cells = round((few // channels) ** 0.5)
    places = net.nearest_cells(cells)
    counts = np.bincount(places).astype(np.float32)
    copies = (counts[:, None] * counts)[..., None, None]
    if rows == few:
        added = net.kernel_of_fewer_cells(tf.constant(kernel), cells).numpy()
        return (added.reshape(cells, cells, channels, -1) / copies).reshape(rows, -1) if moments else added
    small = kernel.reshape(cells, cells, channels, -1)
    small = small if moments else small / copies
    return small[places][:, places].reshape(rows, -1)
