"""A drawing as the digit nets take it: made as the images of MNIST were."""

import numpy as np
from PIL import Image

from oneshot.use.mistakes import InputError

SIDE = 28
_BOX = 20  # the longer side of what is drawn
_CENTRE = 14  # where MNIST has the centre of mass: to half a pixel, over all its images

# A larger drawing is shrunk first: strokes are wider than a pixel then.
_LARGEST = 1000
# Levels of grey, of 255, between paper and ink; below, nothing is drawn.
_CONTRAST = 25
# Part of the darkest ink from which on a pixel belongs to the drawing: blurs of JPEG are below.
_INK = 0.1


def prepare(image: np.ndarray) -> np.ndarray:
    """Normalise a drawing as MNIST's: (height, width, 3) uint8 -> (28, 28, 1) float32, 0 (paper) to 1 (ink).

    The paper is the median of the border; ink is what differs from it, dark on light or light on dark, and the
    strongest becomes 1. The box around the ink is shrunk by area means (or enlarged, bilinear) so that its longer side
    has 20 pixels, and is placed by whole pixels so that its centre of mass is in the centre. An image of MNIST comes
    back as it is, but for the faintest pixels at the edges (994 of the first 1,000 test images). Meant for drawings and
    scans on even paper: the shadow on a photograph of paper counts as ink. Raises InputError if nothing stands out from
    the border.
    """
    ink = _ink(image)
    rows, columns = (np.flatnonzero((ink > _INK).any(axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = _fitted(ink)
    ink /= ink.max()
    height, width = ink.shape
    top, left = (_place(ink.sum(axis, dtype=np.float64)) for axis in (1, 0))
    field = np.zeros((SIDE, SIDE, 1), np.float32)
    field[top : top + height, left : left + width, 0] = ink
    return field


def _ink(image: np.ndarray) -> np.ndarray:
    """How much ink there is: (height, width) float32, 0 to 1."""
    grey = Image.fromarray(image).convert("L")
    grey.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
    values = np.array(grey, np.float32)
    border = np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])
    paper = np.median(border)
    dark_on_light = paper - values.min() > values.max() - paper
    ink = np.maximum(paper - values if dark_on_light else values - paper, 0)
    if ink.max() < _CONTRAST:
        raise InputError("nothing is drawn on it: draw in dark on a light ground or in light on a dark one")
    return ink / ink.max()


def _fitted(ink: np.ndarray) -> np.ndarray:
    """Shrink or enlarge so that the longer side has 20 pixels."""
    longer = max(ink.shape)
    height, width = (max(1, round(side * _BOX / longer)) for side in ink.shape)
    by = Image.Resampling.BOX if longer > _BOX else Image.Resampling.BILINEAR
    return np.array(Image.fromarray(ink).resize((width, height), by))


def _place(masses: np.ndarray) -> int:
    """Where a row (or column) of masses starts in the field, so that their centre is in its centre and all fit."""
    centre = np.average(np.arange(len(masses)), weights=masses)
    # Rounded, because what is symmetric is exactly between two places, and the last digits must not choose.
    return int(np.clip(np.floor(np.round(_CENTRE - centre + 0.5, 4)), 0, SIDE - len(masses)))
