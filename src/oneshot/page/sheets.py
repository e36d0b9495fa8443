"""Contact sheets: many small images in one, which the page shows tile by tile."""

import base64
import io

import numpy as np
from PIL import Image

_JPEG_QUALITY = 85
_GREYS = 16


def sheet(images: np.ndarray, columns: int = 25) -> dict:
    """Lay images out in rows as one picture: {"uri", "columns", "rows"}; the data URI holds the picture itself.

    images: (n, side, side, 3) uint8 become a JPEG, (n, side, side) uint8 a PNG of sixteen greys.
    """
    count, side = images.shape[:2]
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, *images.shape[1:]), np.uint8)
    tiles[:count] = images
    depth = images.shape[3:]
    grid = tiles.reshape(rows, columns, side, side, *depth).swapaxes(1, 2).reshape(rows * side, columns * side, *depth)
    kind, content = ("jpeg", _jpeg(grid)) if depth else ("png", _png(grid))
    uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return {"uri": uri, "columns": columns, "rows": rows}


def _jpeg(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return buffer.getvalue()


def _png(picture: np.ndarray) -> bytes:
    step = 255 // (_GREYS - 1)
    levels = ((picture.astype(int) + step // 2) // step).astype(np.uint8)
    image = Image.frombytes("P", levels.shape[::-1], levels.tobytes())
    image.putpalette([level * step for level in range(_GREYS) for _ in range(3)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, bits=4)
    return buffer.getvalue()
