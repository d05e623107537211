"""What the peers have in common: the strokes' classes, and the edges of the pixel grid."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError

Image = NDArray[np.uint8]
Labels = NDArray[Any]
# Offsets (dy, dx) that reach each edge of the 8-connected grid once.
EDGES = ((0, 1), (1, 0), (1, 1), (1, -1))


def parse_strokes(
    strokes: Labels, unlabeled: int, rest: int | None = None
) -> tuple[NDArray[np.bool_], Labels]:
    """Mask of the pixels without a stroke, and the classes in ascending order.

    The classes are those with strokes, and ``rest`` where it is a class without any yet.
    """
    free = strokes == unlabeled
    classes = np.unique(strokes[~free])
    if not classes.size:
        raise InputError(f"strokes hold no class: every pixel is {unlabeled}")
    if rest is not None:
        classes = np.union1d(classes, np.array([rest], classes.dtype))
    return free, classes


def two_classes(classes: Labels) -> tuple[int, int]:
    if len(classes) != 2:
        raise InputError(f"strokes hold {len(classes)} classes; this method knows two")
    return int(classes[0]), int(classes[1])


def edge_ends(values: Labels, dy: int, dx: int) -> tuple[Labels, Labels]:
    """The values at both ends of every grid edge in direction (dy, dx), dy >= 0."""
    height, width = values.shape[:2]
    first = values[: height - dy, max(0, -dx) : width - max(0, dx)]
    second = values[dy:, max(0, dx) : width + min(0, dx)]
    return first, second
