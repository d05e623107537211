"""Where somebody draws who sees what is wrong: along the middle of the largest error."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.scribbles.clicks import largest_error

IGNORED = 255
_LONGEST = 0.35
"""Of a stroke, as a share of the image's shorter side."""
_INSIDE = 0.35
"""A stroke goes where it is at least this share as deep as at its deepest place."""
_DIRECTIONS = 16


@dataclass(frozen=True)
class Stroke:
    """One stroke of a class.

    Attributes:
        value: the class.
        points: (x, y) of its ends and its middle.
        width: of the brush, in pixels of the image, at most.
    """

    value: int
    points: list[tuple[float, float]]
    width: float


def next_stroke(
    truth: NDArray[np.integer], mask: NDArray[np.integer], least: float = 0.0
) -> Stroke | None:
    """The stroke that corrects the largest error; None where it is below a share of the image."""
    error = largest_error(truth, mask, ignore=IGNORED)
    if error is None or error.pixels.sum() < least * truth.size:
        return None
    return stroke_inside(error.pixels, error.value)


def first_stroke(truth: NDArray[np.integer], value: int) -> Stroke:
    """A stroke on a class that nobody has drawn yet."""
    parts, _ = ndimage.label(truth == value)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return stroke_inside(parts == sizes.argmax(), value)


def stroke_inside(region: NDArray[np.bool_], value: int) -> Stroke:
    """The longest straight stroke through the deepest place of a region that stays inside."""
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    y, x = (int(i) for i in np.unravel_index(depth.argmax(), depth.shape))
    deepest = float(depth[y, x])
    best: list[tuple[float, float]] = [(x, y)]
    longest = -1.0
    for k in range(_DIRECTIONS):
        angle = math.pi * k / _DIRECTIONS
        ends = [_walk(depth, x, y, s * math.cos(angle), s * math.sin(angle)) for s in (-1, 1)]
        length = math.dist(*ends)
        if length > longest:
            longest, best = length, [ends[0], (x, y), ends[1]]
    return Stroke(value, best, max(1.0, 1.2 * deepest))


def _walk(depth: NDArray[np.floating], x: int, y: int, dx: float, dy: float) -> tuple[float, float]:
    """How far one can go from a place in a direction and be deep enough."""
    least, most = max(1.0, _INSIDE * depth[y, x]), _LONGEST / 2 * min(depth.shape)
    reach = 0
    while reach + 1 < most:
        row, column = round(y + dy * (reach + 1)), round(x + dx * (reach + 1))
        inside = 0 <= row < depth.shape[0] and 0 <= column < depth.shape[1]
        if not inside or depth[row, column] < least:
            break
        reach += 1
    return x + dx * reach, y + dy * reach
