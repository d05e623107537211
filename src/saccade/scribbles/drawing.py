"""Polylines, dots and regions drawn into an array of class values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from saccade.errors import InputError

Point = tuple[float, float]
"""(x, y) in pixels; (0, 0) is the centre of the upper left pixel."""

_EMPTY = -1
_FAR = 1e6  # coordinates beyond are cut: no image reaches there, and integers overflow later


@dataclass(frozen=True)
class VectorStroke:
    """One stroke of a vector file.

    Attributes:
        label: class value.
        points: (x, y) of its vertices.
        shape: "line" (a polyline with round ends and joints, a dot where there is one point),
            "polygon", "rectangle" (two corners) or "circle" (centre, then a point on it).
        width: of a line in pixels; None: that of the file.
    """

    label: int
    points: tuple[Point, ...]
    shape: str = "line"
    width: int | None = None


@dataclass(frozen=True)
class PixelStroke:
    """A stroke that is given by its pixels.

    Attributes:
        label: class value.
        x: column of the mask's left pixels in the image.
        y: row of its upper pixels.
        mask: (h, w), True where the stroke is.
    """

    label: int
    x: int
    y: int
    mask: NDArray[np.bool_]


def draw_strokes(
    strokes: Sequence[VectorStroke | PixelStroke],
    shape: tuple[int, int],
    *,
    width: int,
    unlabeled: int,
) -> NDArray[np.int32]:
    """Return (H, W) int32 class values, `unlabeled` where no stroke is; later strokes are on top.

    Vertices of lines outside the image are moved to its border, as strokes that a hand drew
    over the edge are meant. `width` is that of lines that have none of their own.

    Raises:
        InputError: `width` is below 1.
    """
    if width < 1:
        raise InputError(f"width: strokes {width} px wide, expected 1 or more")
    canvas = Image.new("I", (shape[1], shape[0]), _EMPTY)
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        if isinstance(stroke, PixelStroke):
            canvas.paste(stroke.label, (stroke.x, stroke.y), Image.fromarray(stroke.mask))
        elif stroke.shape == "line":
            points = [_inside(p, shape) for p in stroke.points]
            _draw_line(pen, points, stroke.label, stroke.width or width)
        else:
            _draw_region(pen, stroke)
    labels = np.array(canvas, dtype=np.int32)
    labels[labels == _EMPTY] = unlabeled
    return labels


def _inside(point: Point, shape: tuple[int, int]) -> Point:
    return min(max(point[0], 0.0), shape[1] - 1.0), min(max(point[1], 0.0), shape[0] - 1.0)


def _draw_line(pen: ImageDraw.ImageDraw, points: Sequence[Point], label: int, width: int) -> None:
    centers = [(math.floor(x + 0.5), math.floor(y + 0.5)) for x, y in points]
    if len(centers) > 1:
        pen.line(centers, fill=label, width=width)
    if width == 1:
        pen.point(centers, fill=label)
        return
    # A disc on every vertex makes ends and joints round. Pillow's lines of even width lie half
    # a pixel to the lower right of their centre, and so must the discs.
    shift = 0.5 if width % 2 == 0 else 0.0
    low, high = shift - (width - 1) / 2, shift + (width - 1) / 2
    for x, y in centers:
        pen.ellipse((x + low, y + low, x + high, y + high), fill=label)


def _draw_region(pen: ImageDraw.ImageDraw, stroke: VectorStroke) -> None:
    points = [(min(max(x, -_FAR), _FAR), min(max(y, -_FAR), _FAR)) for x, y in stroke.points]
    if stroke.shape == "polygon":
        pen.polygon(points, fill=stroke.label, outline=stroke.label)
        return
    (x0, y0), (x1, y1) = points
    if stroke.shape == "circle":
        radius = math.hypot(x1 - x0, y1 - y0)
        box = (x0 - radius, y0 - radius, x0 + radius, y0 + radius)
        pen.ellipse(box, fill=stroke.label, outline=stroke.label)
    else:
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        pen.rectangle(box, fill=stroke.label, outline=stroke.label)
