"""A photograph as an encoder takes it: the middle, shrunk."""

import numpy as np
from PIL import Image

SIDE = 32


def prepare(image: np.ndarray, height: int = SIDE, width: int = SIDE, *, grey: bool = False) -> np.ndarray:
    """Crop and shrink a photograph: (rows, columns, 3) uint8 -> (height, width, 3) uint8; grey: (height, width, 1).

    The largest part of these proportions is cut out of the middle and shrunk by area means: each pixel of the result is
    the mean of the part that it covers. A smaller image is enlarged (bicubic); one of that size stays as it is.
    """
    rows, columns = image.shape[:2]
    scale = min(rows / height, columns / width)
    box_height, box_width = scale * height, scale * width
    left, top = (columns - box_width) / 2, (rows - box_height) / 2
    by = Image.Resampling.BOX if scale >= 1 else Image.Resampling.BICUBIC
    picture = Image.fromarray(image).resize((width, height), by, box=(left, top, left + box_width, top + box_height))
    return np.array(picture.convert("L"))[..., None] if grey else np.array(picture)
