"""A map of numbers over a photograph, in colours from dark blue over green to yellow."""

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images import as_rgb

_STOPS = np.array(
    [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float32
)
"""Colours at 0, 1/4, 1/2, 3/4 and 1: as light as the value is large, for every kind of sight."""


def render_heat(
    image: NDArray[np.uint8], values: NDArray[np.floating], *, opacity: float = 0.65
) -> NDArray[np.uint8]:
    """Lay a map over an image, whose own colours fade to grey under it.

    Args:
        image: whatever `as_rgb` takes.
        values: (H, W) in [0, 1].
        opacity: of the map.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: sizes that differ.
    """
    rgb = as_rgb(image)
    if values.shape != rgb.shape[:2]:
        raise InputError(f"map is {values.shape}, image is {rgb.shape[:2]}")
    at = np.clip(np.nan_to_num(values), 0, 1) * (len(_STOPS) - 1)
    low = np.minimum(at.astype(int), len(_STOPS) - 2)
    part = (at - low)[..., None]
    colors = _STOPS[low] * (1 - part) + _STOPS[low + 1] * part
    grey = rgb.mean(2, keepdims=True)
    blended: NDArray[np.uint8] = np.rint((1 - opacity) * grey + opacity * colors).astype(np.uint8)
    return blended
