"""At which scale an image is worked on: at once, or in windows where what is stroked is small.

How much image there is around a thing says nothing about the thing. An image of many cells, each
few pixels wide, with strokes all over is worked on window by window, each as if it were the whole;
so a picture that is repeated 4 x 4 with its strokes keeps its mask. A photograph of one large
object has strokes of both sides in few windows, and is seen as a whole; so is one that was
enlarged, of which a closer look shows nothing more.

The object network, which sees everything at 384 x 288, needs the smallest windows: with less than a
third of their pixels its answer falls. All other stages lose nothing down to a fifth, so their
windows are larger, and time grows with what is worked on. Borders follow the full image from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.interactive.objects import VIEW_PIXELS, Box
from saccade.interactive.places import Places
from saccade.interactive.prepared import PreparedImage

_LEAST_SHARE = 0.18  # of the pixels of an image that is worked on; below, there are windows
_SHARE = 0.25  # the same, at most, in windows
_LEAST_SEEN = 0.25  # of the pixels that the object network sees; below, there are views
_SEEN = 0.4  # the same in views, at least, without their margins
_OCCUPIED = 0.75  # least share of the windows that have strokes of two classes
_DETAIL = 0.5  # least contrast that is lost at the coarser scale, beside that at half of it
_MARGIN = 0.05  # of a window's side, beyond its own part on each side
_LOOKED_AT = 4  # windows in which detail is looked for
_SMALLEST = 64  # pixels of a window's side
_MOST_READ = 8192  # pixels of a side of what is read to look for detail
_VANISHED = 3  # times as many pixels have strokes, as their area says
_BOX = Image.Resampling.BOX


@dataclass(frozen=True)
class Window:
    """A part of an image.

    Attributes:
        core: what no other window has.
        box: the core and a margin around it.
    """

    core: Box
    box: Box

    def grown(self, size: tuple[int, int], holds: Callable[[Box], bool]) -> Box:
        """The box, or a larger one around it that holds what is asked for.

        >>> window = windows_of((100, 200), 4)[5]
        >>> window.box, window.grown((100, 200), lambda box: box.top < 10)
        (Box(top=24, left=48, bottom=51, right=102), Box(top=0, left=0, bottom=90, right=183))
        """
        height, width = size
        box = self.box
        while not holds(box) and box.area < height * width:
            rows, columns = box.bottom - box.top, box.right - box.left
            box = Box(
                max(0, box.top - rows // 2),
                max(0, box.left - columns // 2),
                min(height, box.bottom + rows // 2),
                min(width, box.right + columns // 2),
            )
        return box


def windows_of(size: tuple[int, int], grid: int) -> list[Window]:
    """``grid`` x ``grid`` windows of an image (H, W), row by row.

    >>> one, *others = windows_of((100, 200), 2)
    >>> one.core, one.box, len(others)
    (Box(top=0, left=0, bottom=50, right=100), Box(top=0, left=0, bottom=52, right=105), 3)
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


@dataclass(frozen=True)
class Scale:
    """Into how many parts a side each side of an image is parted; 1 is at once.

    Attributes:
        windows: for all stages.
        views: for the object network, at least as many; 1 where it is not asked.
    """

    windows: int
    views: int


AT_ONCE = Scale(1, 1)


def scale_of(
    image: PreparedImage, strokes: Places, drawn: set[int], *, objects: bool, spread: bool = False
) -> Scale:
    """The scale that the stroked structures need.

    Args:
        image: of `prepare_image`, at the scale at which all of it is seen at once.
        strokes: where they are.
        drawn: the classes with strokes.
        objects: whether the object network is asked.
        spread: whether windows without any strokes do not count, as the others say what is in them.
    """
    pixels, least = math.prod(image.size), max(1, min(image.size) // _SMALLEST)
    whole = math.sqrt(math.prod(image.working_size) / pixels)
    seen = math.sqrt(VIEW_PIXELS / pixels)
    windows = min(least, math.ceil(math.sqrt(_LEAST_SHARE) / whole))
    if spread or not objects or len(drawn) != 2:
        windows = _finest(image, strokes, windows, whole, spread)
        return Scale(windows, 1)
    views = min(least, math.ceil(math.sqrt(_SEEN) / seen)) if seen**2 < _LEAST_SEEN else 1
    views = _finest(image, strokes, views, seen)
    return Scale(min(windows, views), views)


def working_scale(image: PreparedImage, windows: int) -> float:
    """Pixels of a side that are worked on for one of the image's, in so many windows a side."""
    whole = math.sqrt(math.prod(image.working_size) / math.prod(image.size))
    return whole if windows == 1 else min(math.sqrt(_SHARE), windows * whole)


def _finest(
    image: PreparedImage, strokes: Places, most: int, whole: float, spread: bool = False
) -> int:
    """The finest grid of which most windows have strokes; 1 if a closer look shows nothing."""
    for grid in range(most, 1, -1):
        some, both = strokes.occupied(grid)
        if both >= _OCCUPIED * (some if spread else grid**2):
            return grid if _detail(image, grid, whole) >= _DETAIL else 1
    return 1


def thinner_than_seen(image: PreparedImage, strokes: Places) -> bool:
    """Whether strokes are much thinner than a pixel of what is seen at once.

    Strokes are about as wide as what they are drawn on can bear: who strokes cells of a slide
    draws lines of few pixels, which all but vanish where all of the slide is seen.

    >>> rgb, far = np.zeros((100, 100, 3), np.uint8), np.arange(0, 100, 9)
    >>> from saccade.interactive.prepared import prepare_image
    >>> strokes = Places(far, far, far * 0, (100, 100), 1)
    >>> thinner_than_seen(prepare_image(rgb, max_pixels=400), strokes)
    True
    """
    height, width = image.working_size
    rows = strokes.rows * height // strokes.size[0]
    cells = np.unique(rows * width + strokes.columns * width // strokes.size[1])
    scale = height * width / math.prod(strokes.size)
    return len(cells) > _VANISHED * len(strokes.rows) * scale


def classes_in(stroke_index: NDArray[np.int64]) -> set[int]:
    """The values of an array, of which few differ."""
    return set(np.flatnonzero(np.bincount(stroke_index.ravel())).tolist())


def _detail(image: PreparedImage, grid: int, whole: float) -> float:
    """Contrast in windows that is lost at the scale at which the whole is seen.

    As a share of what is lost at half that scale: photographs have about as much contrast at each
    scale, those that were enlarged by interpolation much less at the finest ones.
    """
    windows, lost, known = windows_of(image.size, grid), 0.0, 0.0
    for window in windows[:: max(1, len(windows) // _LOOKED_AT)]:
        part = Image.fromarray(image.rgb[_middle(window.core).slices]).convert("L")
        fine = part.resize(_scaled(part.size, min(1.0, grid * whole)), _BOX)
        small = part.resize(_scaled(part.size, whole), _BOX)
        lost += _difference(fine, small)
        known += _difference(small, small.resize(_scaled(small.size, 0.5), _BOX))
    return math.sqrt(lost / max(known, 1e-6))


def _difference(fine: Image.Image, small: Image.Image) -> float:
    """Mean square of what a smaller copy does not show."""
    back = small.resize(fine.size, Image.Resampling.BICUBIC)
    seen, shown = (np.asarray(one, np.float32) for one in (fine, back))
    return float(((seen - shown) ** 2).mean())


def _middle(box: Box) -> Box:
    """The box, or of one that is too large to be read at once what is in its middle."""
    top, left = (max(0, (high - low - _MOST_READ) // 2) for low, high in (box[::2], box[1::2]))
    return Box(box.top + top, box.left + left, box.bottom - top, box.right - left)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
