"""Random rotation, shift, shear, zoom and flip of images, in batches.

The transforms are those of Keras's ImageDataGenerator (`apply_affine_transform`): the output pixel at (x, y), x to the
right and y down from the image's centre, shows the input at R T S Z (x, y), where

    R = [[cos r, -sin r], [sin r, cos r]]    rotation by r
    T = translation by (width shift, height shift)
    S = [[1, -sin s], [0, cos s]]            shear by s
    Z = diag(zoom of x, zoom of y)

NumPy samples the numbers for a whole epoch at once, so an image's transform depends only on (seed, epoch, place).
"""

import numpy as np

from oneshot.core.seeds import generator
from oneshot.training.tensorflow import tf


def sample_transforms(
    rng: np.random.Generator,
    count: int,
    size: int,
    *,
    rotation: float,
    width_shift: float,
    height_shift: float,
    shear: float,
    zoom: float,
    flipped: np.ndarray,
) -> np.ndarray:
    """Sample a projective transform per image: (count, 8) float32, as TensorFlow's ImageProjectiveTransform takes them.

    size: side of the square images, pixels; rotation, shear: +/- degrees; width_shift, height_shift: +/- fraction of
    the side; zoom: factors of x and of y from 1 - zoom to 1 + zoom; flipped: (count,) bool, see `choose_flipped`.
    """
    turn = np.deg2rad(rng.uniform(-rotation, rotation, count))
    right, down = (rng.uniform(-shift, shift, count) * size for shift in (width_shift, height_shift))
    lean = np.deg2rad(rng.uniform(-shear, shear, count))
    zoom_x, zoom_y = rng.uniform(1 - zoom, 1 + zoom, (2, count))
    return compose(size, turn, right, down, lean, zoom_x, zoom_y, flipped)


def choose_flipped(flip: str, seed: int, epoch: int, count: int) -> np.ndarray:
    """Choose the images to flip left and right in one epoch: (count,) bool.

    flip: "none", or "alternating": half of the images in even epochs and the other half in odd ones, so that two epochs
    show each image both ways (Jordan, cifar10-airbench, 2024).
    """
    if flip == "none":
        return np.zeros(count, bool)
    half = generator(seed, "flip", 0).integers(2, size=count)
    return (half + epoch) % 2 == 1


def compose(
    size: int,
    rotation: np.ndarray,
    width_shift: np.ndarray,
    height_shift: np.ndarray,
    shear: np.ndarray,
    zoom_x: np.ndarray,
    zoom_y: np.ndarray,
    flipped: np.ndarray,
) -> np.ndarray:
    """Compose transforms from their parts, each (n,): angles in radians, shifts in pixels -> (n, 8) float32.

    The flip is applied to the transformed image, as ImageDataGenerator does.
    """
    cos_r, sin_r, cos_s, sin_s = np.cos(rotation), np.sin(rotation), np.cos(shear), np.sin(shear)
    side = np.where(flipped, -1.0, 1.0)
    # The entries of R S Z (the flip turns the sign of the output's x), and the shift of R T.
    x_x, x_y = cos_r * zoom_x * side, (-cos_r * sin_s - sin_r * cos_s) * zoom_y
    y_x, y_y = sin_r * zoom_x * side, (-sin_r * sin_s + cos_r * cos_s) * zoom_y
    x_shift = cos_r * width_shift - sin_r * height_shift
    y_shift = sin_r * width_shift + cos_r * height_shift
    centre = (size - 1) / 2
    x_shift = x_shift + centre - (x_x + x_y) * centre
    y_shift = y_shift + centre - (y_x + y_y) * centre
    nought = np.zeros_like(cos_r)
    parts = [x_x, x_y, x_shift, y_x, y_y, y_shift, nought, nought]
    return np.stack(parts, axis=1).astype(np.float32)


def transform(
    images: tf.Tensor | np.ndarray, transforms: tf.Tensor | np.ndarray, fill: str, interpolation: str
) -> tf.Tensor:
    """Apply one transform to each image: (n, H, H, C) float32 and (n, 8) -> (n, H, H, C).

    fill: what lies outside the image: "nearest" repeats the border, "reflect" mirrors the image at it; interpolation:
    "bilinear", or "nearest", which keeps pixels as they are (whole-pixel shifts).
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation=interpolation.upper(),
        fill_mode=fill.upper(),
    )


def shift(images: np.ndarray, fraction: float, rng: np.random.Generator) -> tf.Tensor:
    """Shift each image at random by +/- a fraction of the side: (n, H, H, C) float32 -> the same shape."""
    fixed = {"rotation": 0.0, "shear": 0.0, "zoom": 0.0, "flipped": np.zeros(len(images), bool)}
    shifts = sample_transforms(rng, len(images), images.shape[1], width_shift=fraction, height_shift=fraction, **fixed)
    return transform(images, shifts, "nearest", "bilinear")
