"""A photograph as the ConvNet takes it: the middle square, 32 pixels wide."""

import numpy as np
from PIL import Image

SIDE = 32


def prepare(image: np.ndarray) -> np.ndarray:
    """Crop and shrink a photograph: (height, width, 3) uint8 -> (32, 32, 3) uint8.

    The middle square is cut out, as wide as the shorter side, and shrunk by area means: each pixel of the result is the
    mean of the part that it covers. An image below 32 pixels is enlarged (bicubic); one of 32 x 32 stays as it is.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    by = Image.Resampling.BOX if side >= SIDE else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(image).resize((SIDE, SIDE), by, box=(left, top, left + side, top + side)))
