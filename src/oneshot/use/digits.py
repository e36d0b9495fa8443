"""A drawing as the digit nets take it: made as the images of MNIST were, and free of the paper's shade and noise.

The page's script does the same (page/drawing.js); tests/page compares the two.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from oneshot.use.mistakes import InputError

SIDE = 28
_BOX = 20  # the longer side of what is drawn
_CENTRE = 14  # where MNIST has the centre of mass: to half a pixel, over all its images

# A larger picture is shrunk first, which takes most of its noise away; strokes are still wider than a pixel then.
_LARGEST = 400
# Levels of grey, of 255, between paper and ink; below, nothing is drawn.
_CONTRAST = 25
# Part of the darkest ink from which on a pixel belongs to the drawing: blurs of JPEG are below.
_INK = 0.1
# The paper's brightness is measured around that many places in each direction, each time in half the picture.
_PLACES = 5
_BRIGHT = 0.9  # the part of a neighbourhood that is no brighter than its paper
_NOISE = 5  # how often the spread of the paper is noise, not ink
# What touches nothing else is no stroke with less than this part of all ink, or if it would fill no more than a square
# whose side is this part of the picture's.
_SPECK, _POINT = 0.02, 0.01


def prepare(image: np.ndarray) -> np.ndarray:
    """Normalise a drawing as MNIST's: (height, width, 3) uint8 -> (28, 28, 1) float32, 0 (paper) to 1 (ink).

    Whether ink is dark on light or light on dark follows from the border; shade, noise and specks of the paper are
    taken away (see `_ink`), and the strongest ink becomes 1. The box around the ink is shrunk by area means (or
    enlarged, bilinear) so that its longer side has 20 pixels, and is placed by whole pixels so that its centre of mass
    is in the centre. An image of MNIST comes back as it is, but for the faintest pixels at the edges. Raises InputError
    if nothing stands out from the paper.
    """
    ink = _ink(image)
    rows, columns = (np.flatnonzero((ink > _INK).any(axis)) for axis in (1, 0))
    ink = _resized(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], _BOX)
    ink /= ink.max()
    height, width = ink.shape
    top, left = (_place(ink.sum(axis, dtype=np.float64)) for axis in (1, 0))
    field = np.zeros((SIDE, SIDE, 1), np.float32)
    field[top : top + height, left : left + width, 0] = ink
    return field


def _ink(image: np.ndarray) -> np.ndarray:
    """How much ink there is: (height, width) float32, 0 to 1.

    Each pixel is divided by the brightness of the paper around it. The lower quarter of what then differs from the
    paper is paper itself, as long as ink covers less than three quarters: its spread is the noise, which is zero on a
    clean drawing, so that nothing is lost there.
    """
    grey = np.asarray(Image.fromarray(image).convert("L"), np.float32)
    if max(grey.shape) > _LARGEST:
        grey = _resized(grey, _LARGEST)
    border = np.median(np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]]))
    if border - grey.min() <= grey.max() - border:
        grey = 255 - grey
    paper = np.maximum(_paper(grey), 1)
    ink = 1 - grey / paper
    least, quarter = (_lowest(ink, part) for part in (0.05, 0.25))
    ink -= quarter
    noise = _NOISE * (quarter - least)
    ink[ink <= noise] = 0
    most = ink.max()
    pieces = np.zeros(ink.shape, np.int32)
    ndimage.label(ink > max(noise, _INK * most), np.ones((3, 3)), output=pieces)
    count = int(pieces.max())
    sizes, masses = (np.bincount(pieces.ravel(), weights, count + 1) for weights in (None, ink.ravel()))
    specks = (sizes <= (max(ink.shape) * _POINT) ** 2) | (masses < _SPECK * masses[1:].sum())
    specks[0] = not count  # else it is what is faint, at the edges of strokes
    ink[specks[pieces]] = 0
    if (ink * paper).max() < _CONTRAST:
        raise InputError("nothing is drawn on it: draw in dark on a light ground or in light on a dark one")
    return ink / ink.max()


def _paper(grey: np.ndarray) -> np.ndarray:
    """The brightness of the paper at each pixel: a high percentile of what is around, linear between the places."""
    spans = [[_span(place, side) for place in range(_PLACES)] for side in grey.shape]
    places = [[_lowest(grey[rows, columns], _BRIGHT) for columns in spans[1]] for rows in spans[0]]
    size = grey.shape[1], grey.shape[0]
    return np.array(Image.fromarray(np.array(places, np.float32)).resize(size, Image.Resampling.BILINEAR))


def _span(place: int, side: int) -> slice:
    """The half of a side around the middle of one of its _PLACES parts, less where it ends."""
    middle = (2 * place + 1) * side / (2 * _PLACES)
    return slice(max(0, int(middle - side / 4)), min(side, int(middle + side / 4) + 1))


def _lowest(values: np.ndarray, part: float) -> np.float32:
    """The value that this part of all values is not above."""
    rank = int(part * (values.size - 1))
    return np.partition(values, rank, axis=None)[rank]


def _resized(values: np.ndarray, longest: int) -> np.ndarray:
    """Shrink by area means, or enlarge, so that the longer side has so many pixels."""
    longer = max(values.shape)
    height, width = (max(1, round(side * longest / longer)) for side in values.shape)
    by = Image.Resampling.BOX if longer > longest else Image.Resampling.BILINEAR
    return np.array(Image.fromarray(values).resize((width, height), by))


def _place(masses: np.ndarray) -> int:
    """Where a row (or column) of masses starts in the field, so that their centre is in its centre and all fit."""
    centre = np.average(np.arange(len(masses)), weights=masses)
    # Rounded, because what is symmetric is exactly between two places, and the last digits must not choose.
    return int(np.clip(np.floor(np.round(_CENTRE - centre + 0.5, 4)), 0, SIDE - len(masses)))
