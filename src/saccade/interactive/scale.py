"""At which scale an image is worked on: at once, or in windows where what is stroked is small.

How much image there is around a thing says nothing about the thing. An image of many cells, each
few pixels wide, with strokes all over is worked on window by window, each as if it were the whole;
so a picture that is repeated 4 x 4 with its strokes keeps its mask. A photograph of one large
object has strokes of both sides in few windows, and is seen as a whole; so is one that was
enlarged, of which a closer look shows nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.interactive.objects import Box
from saccade.interactive.prepared import PreparedImage

_OCCUPIED = 0.75  # least share of the windows that have strokes of two classes
_DETAIL = 0.05  # least share of the contrast that is lost at the coarser scale
_MARGIN = 0.08  # of a window's side, beyond its own part on each side
_LOOKED_AT = 4  # windows in which detail is looked for
_SMALLEST = 64  # pixels of a window's side


@dataclass(frozen=True)
class Window:
    """A part of an image.

    Attributes:
        core: what no other window has.
        box: the core and a margin around it.
    """

    core: Box
    box: Box


def windows_of(size: tuple[int, int], grid: int) -> list[Window]:
    """``grid`` x ``grid`` windows of an image (H, W), row by row.

    >>> one, *others = windows_of((100, 200), 2)
    >>> one.core, one.box, len(others)
    (Box(top=0, left=0, bottom=50, right=100), Box(top=0, left=0, bottom=54, right=108), 3)
    """
    height, width = size

    def spans(length: int) -> Iterator[tuple[int, int, int, int]]:
        margin = round(_MARGIN * length / grid)
        for number in range(grid):
            low, high = number * length // grid, (number + 1) * length // grid
            yield low, high, max(0, low - margin), min(length, high + margin)

    return [
        Window(Box(top, left, bottom, right), Box(above, before, below, after))
        for top, bottom, above, below in spans(height)
        for left, right, before, after in spans(width)
    ]


def grid_of(image: PreparedImage, stroke_index: NDArray[np.int64], count: int) -> int:
    """Into how many windows a side each side of an image is parted; 1 works on it at once.

    Args:
        image: of `prepare_image`, at the scale at which all of it is seen at once.
        stroke_index: (H, W) class index, K where nobody drew.
        count: K.
    """
    shrunk = math.sqrt(math.prod(image.size) / math.prod(image.working_size))
    most = min(math.ceil(shrunk - 0.1), min(image.size) // _SMALLEST)
    for grid in range(most, 1, -1):
        if _occupied(stroke_index, count, grid) >= _OCCUPIED and _detail(image, grid) >= _DETAIL:
            return grid
    return 1


def _occupied(stroke_index: NDArray[np.int64], count: int, grid: int) -> float:
    """The share of windows with strokes of two classes."""
    found = []
    for window in windows_of((stroke_index.shape[0], stroke_index.shape[1]), grid):
        part = stroke_index[window.core.slices]
        found.append(len(np.unique(part[part < count])) > 1)
    return float(np.mean(found))


def _detail(image: PreparedImage, grid: int) -> float:
    """How much of the contrast in windows is lost where all of the image is seen at once."""
    windows = windows_of(image.size, grid)
    lost, contrast = 0.0, 0.0
    for window in windows[:: max(1, len(windows) // _LOOKED_AT)]:
        fine = Image.fromarray(image.rgb[window.core.slices]).convert("L")
        if fine.width * fine.height > math.prod(image.working_size):
            fine = fine.resize(_shrunk(fine.size, math.prod(image.working_size)), _BOX)
        small = fine.resize((max(1, fine.width // grid), max(1, fine.height // grid)), _BOX)
        coarse = small.resize(fine.size, Image.Resampling.BICUBIC)
        known, seen = (np.asarray(one, np.float32) for one in (fine, coarse))
        lost += float(((known - seen) ** 2).mean())
        contrast += float(known.var())
    return math.sqrt(lost / max(contrast, 1e-6))


_BOX = Image.Resampling.BOX


def _shrunk(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    factor = math.sqrt(pixels / math.prod(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
