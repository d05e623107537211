"""Touching objects of one class are parted where they are narrow and least certain.

A marker-controlled watershed (Meyer and Beucher, 1990). The height of a pixel is its distance to
the border of its region, smoothed; each top that rises enough above the saddles around it
is an object (the h-maxima of Soille, 2003), and borders run along the valleys between them. Every
connected part is treated alone, so what is elsewhere in the image changes nothing, and memory is
that of the largest part.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from saccade.errors import InputError

SMOOTHING = 1.0
"""Standard deviation in pixels by which heights are smoothed."""

RISE = 0.5
"""Pixels by which a top has to rise above its saddles to be an object of its own."""


def separate_touching(
    mask: ArrayLike,
    probability: ArrayLike | None = None,
    *,
    smoothing: float = SMOOTHING,
    rise: float = RISE,
    spacing: Sequence[float] | None = None,
) -> NDArray[np.int32]:
    """Number the objects of a mask, those that touch apart from each other.

    Args:
        mask: (H, W) or (Z, H, W) bool, pixels of one class.
        probability: of this shape, in [0, 1] of that class; valleys run where it is low. None: by
            shape alone.
        smoothing: standard deviation in pixels by which heights are smoothed, at least 0.
        rise: pixels by which a top rises above its saddles, at least 0; more parts less.
        spacing: distance of slices, rows and columns, in any unit; pixels above are those of
            columns. None: the same along all axes.

    Returns:
        int32 of the shape of the mask, 0 outside of the mask, 1, 2, ... for its objects.

    Raises:
        InputError: arrays that are no (H, W) or (Z, H, W) of one size, or numbers below 0.

    Example:
        >>> y, x = np.mgrid[:21, :40]
        >>> two = ((y - 10) ** 2 + (x - 11) ** 2 < 100) | ((y - 10) ** 2 + (x - 28) ** 2 < 100)
        >>> int(separate_touching(two).max())
        2
    """
    pixels = np.asarray(mask, dtype=bool)
    chance = None if probability is None else np.asarray(probability, dtype=np.float32)
    if pixels.ndim not in (2, 3) or (chance is not None and chance.shape != pixels.shape):
        found = "" if chance is None else f" with probabilities {chance.shape}"
        raise InputError(
            f"mask {pixels.shape}{found}, expected arrays (H, W) or (Z, H, W) of one size"
        )
    if not (smoothing >= 0 and rise >= 0):
        raise InputError(f"smoothing {smoothing} and rise {rise}: expected numbers of at least 0")
    steps = np.ones(pixels.ndim) if spacing is None else np.asarray(spacing, np.float64)
    if steps.shape != (pixels.ndim,) or not (np.isfinite(steps) & (steps > 0)).all():
        raise InputError(f"spacing {spacing}: expected {pixels.ndim} numbers above 0")
    return _each_part(pixels, chance, smoothing, rise, steps / steps[-1])


def _each_part(
    pixels: NDArray[np.bool_],
    chance: NDArray[np.float32] | None,
    smoothing: float,
    rise: float,
    steps: NDArray[np.float64],
) -> NDArray[np.int32]:
    from skimage import measure

    tools: Any = measure  # its functions carry no types
    parts = tools.label(pixels, connectivity=1)
    result = np.zeros(pixels.shape, dtype=np.int32)
    count = 0
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        own = parts[box] == number
        local = _one_part(own, None if chance is None else chance[box], smoothing, rise, steps)
        result[box][own] = local[own] + count
        count += int(local.max())
    return result


def _one_part(
    own: NDArray[np.bool_],
    chance: NDArray[np.float32] | None,
    smoothing: float,
    rise: float,
    steps: NDArray[np.float64],
) -> NDArray[np.int32]:
    """The objects 1, 2, ... of a connected part in its box."""
    from skimage import measure, morphology, segmentation

    heights = _heights(own, chance, smoothing, steps)
    tools: Any = morphology
    seed = np.maximum(heights - rise, 0)
    tops = tools.local_maxima(tools.reconstruction(seed, heights)) & own
    labels: Any = measure
    markers = labels.label(tops, connectivity=own.ndim)
    if markers.max() <= 1:
        return own.astype(np.int32)
    flooding: Any = segmentation
    return np.asarray(flooding.watershed(-heights, markers, mask=own), dtype=np.int32)


def _heights(
    own: NDArray[np.bool_],
    chance: NDArray[np.float32] | None,
    smoothing: float,
    steps: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Distance to the border, where holes are no border; lower where the class is unlikely."""
    filled = np.pad(ndimage.binary_fill_holes(own), 1)
    far: NDArray[np.float64] = ndimage.distance_transform_edt(filled, sampling=steps)
    heights = far[(slice(1, -1),) * own.ndim]
    if chance is not None:
        heights = heights * chance
    if smoothing:
        heights = ndimage.gaussian_filter(heights, smoothing / steps, mode="constant")
    return heights
