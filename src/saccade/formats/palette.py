"""Colours of classes: those of label images, and brighter ones of the same hue for display."""

import numpy as np
from numpy.typing import NDArray

from saccade.data.palette import voc_palette

__all__ = ["display_palette", "voc_palette"]

_LIFT = 0.6
_BRIGHTEST = 192.0  # of the first 64 VOC colours


def display_palette(count: int = 256) -> NDArray[np.uint8]:
    """Return `count` colours for drawing over photographs, (count, 3) uint8 RGB.

    They are the VOC colours, lifted: the hue of a class is that of its mask file, but maroon
    and navy become red and blue that can be told from a shadow.
    """
    lifted = 255 * (voc_palette(count) / _BRIGHTEST) ** _LIFT
    return np.asarray(np.rint(lifted.clip(0, 255)), dtype=np.uint8)
