"""Polylines, dots and regions drawn into an array of class values."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from saccade.data.shapes import ShapeRecord, WorkBudget
from saccade.errors import InputError
from saccade.scribbles.strokes import value_counts

Point = tuple[float, float]
"""(x, y) in pixels; (0, 0) is the centre of the upper left pixel."""

_EMPTY = -1
_BAND = 512  # rows
_PIECE = 4_000_000  # pixels that are painted in one go
_MASK_WORK = 6  # what a pixel of a mask costs beside being drawn
_LARGE = 20_000  # pixels; the radius of circles beyond the largest images
_LINE_ROW = 0.2  # what a row of a line costs, in rows of a region
_CROSSING = 0.1  # what a side of a polygon costs in a row, in rows
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
    budget: WorkBudget | None = None,
    pause: Callable[[], None] | None = None,
) -> NDArray[np.int32]:
    """Return (H, W) int32 class values, `unlabeled` where no stroke is; later strokes are on top.

    Vertices of lines outside the image are moved to its border, as strokes that a hand drew
    over the edge are meant.

    Args:
        strokes: what to draw.
        shape: (H, W) of the image.
        width: of lines that have none of their own, in pixels.
        unlabeled: value where no stroke is.
        budget: of the file that the strokes are from.
        pause: called every few milliseconds; what it raises ends the drawing.

    Raises:
        InputError: `width` is below 1, or the strokes need more than `budget`.
    """
    if width < 1:
        raise InputError(f"width: strokes {width} px wide, expected 1 or more")
    canvas = Image.new("I", (shape[1], shape[0]), _EMPTY)
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        if budget is not None:
            budget.spend(*_work(stroke, shape, width))
        if pause is not None:
            pause()
        if isinstance(stroke, PixelStroke):
            canvas.paste(stroke.label, (stroke.x, stroke.y), Image.fromarray(stroke.mask))
        elif stroke.shape == "line":
            points = [_inside(p, shape) for p in stroke.points]
            _draw_line(pen, points, stroke.label, stroke.width or width, pause)
        else:
            _draw_region(pen, stroke, shape)
    labels = np.empty(shape, dtype=np.int32)
    for top in range(0, shape[0], _BAND):  # an array of the whole would be there thrice
        bottom = min(top + _BAND, shape[0])
        band = np.array(canvas.crop((0, top, shape[1], bottom)), dtype=np.int32)
        band[band == _EMPTY] = unlabeled
        labels[top:bottom] = band
    return labels


def drawing_work(
    strokes: Sequence[VectorStroke | PixelStroke], shape: tuple[int, int], *, width: int = 1
) -> float:
    """Pixels that `draw_strokes` paints for strokes on an image of (H, W) `shape`, about.

    For a line: its points times its width squared, and its length times its width; nothing counts
    for more than the whole image.
    """
    return sum(_work(stroke, shape, width)[0] for stroke in strokes)


def region_mask(
    stroke: VectorStroke, shape: tuple[int, int], budget: WorkBudget | None = None
) -> tuple[int, int, NDArray[np.bool_]]:
    """Return y, x and the mask (h, w) of a polygon, rectangle or circle, drawn in its box only.

    Args:
        stroke: no line.
        shape: (H, W) of the image; what is outside of it is cut off.
        budget: of the file that the stroke is from.

    Raises:
        InputError: it needs more than `budget`.
    """
    x0, y0, x1, y1 = _box(stroke, shape)
    if x0 >= x1 or y0 >= y1:
        return 0, 0, np.zeros((1, 1), dtype=bool)
    if budget is not None:
        budget.spend(*_work(stroke, shape, 1))
        budget.spend(_MASK_WORK * (x1 - x0) * (y1 - y0))
    moved = replace(stroke, label=1, points=tuple((x - x0, y - y0) for x, y in stroke.points))
    canvas = Image.new("L", (x1 - x0, y1 - y0))
    _draw_region(ImageDraw.Draw(canvas), moved, (y1 - y0, x1 - x0))
    return y0, x0, np.asarray(canvas).view(np.bool_)


def count_moved(
    strokes: Sequence[VectorStroke | PixelStroke], shape: tuple[int, int], record: ShapeRecord
) -> None:
    """Count the points of lines outside of an image (H, W), which are moved to its border."""
    height, width = shape
    record.count(
        "1 point of a line outside of the image was moved to its border",
        "{n} points of lines outside of the image were moved to its border",
        sum(
            not (-1 <= x <= width and -1 <= y <= height)
            for stroke in strokes
            if isinstance(stroke, VectorStroke) and stroke.shape == "line"
            for x, y in stroke.points
        ),
    )


def count_covered(
    labels: NDArray[np.int32], names: Mapping[str, int], drawn: Sequence[int], record: ShapeRecord
) -> None:
    """Say which of the classes that were `drawn` are nowhere in the labels that came of it."""
    hidden = set(drawn) - set(value_counts(labels))
    for name, value in names.items():
        if value in hidden:
            hidden.discard(value)
            record.count(f"class '{name}' is covered by later shapes altogether", "")


def _box(stroke: VectorStroke, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """First and last column and row, plus one, of what a region may cover of the image."""
    points = np.array(stroke.points).clip(-_FAR, _FAR)
    low, high = points.min(0), points.max(0)
    if stroke.shape == "circle":
        radius = math.hypot(*(points[1] - points[0]))
        low, high = points[0] - radius, points[0] + radius
    limit = (shape[1], shape[0])
    x0, y0 = (np.floor(low).astype(int) - 1).clip(0, limit).tolist()
    x1, y1 = (np.ceil(high).astype(int) + 2).clip(0, limit).tolist()
    return x0, y0, x1, y1


def _work(
    stroke: VectorStroke | PixelStroke, shape: tuple[int, int], width: int
) -> tuple[float, float]:
    """Pixels and rows that drawing a stroke takes, about."""
    if isinstance(stroke, PixelStroke):
        return 2 * stroke.mask.size, 0
    if stroke.shape == "line":
        points = np.array([_inside(p, shape) for p in stroke.points])
        lengths = np.hypot(*np.diff(points, axis=0).T)
        wide = stroke.width or width
        most = shape[0] * shape[1]
        pixels = np.minimum(lengths * wide, most).sum() + len(points) * min(wide * wide, most)
        ups = np.abs(np.diff(points[:, 1])).sum()
        return float(pixels), len(points) + _LINE_ROW * float(ups)
    x0, y0, x1, y1 = _box(stroke, shape)
    ups = np.diff(np.array(stroke.points)[:, 1].clip(0, shape[0]))
    return max(0, x1 - x0) * max(0, y1 - y0), _CROSSING * float(np.abs(ups).sum()) + (y1 - y0)


def _inside(point: Point, shape: tuple[int, int]) -> Point:
    return min(max(point[0], 0.0), shape[1] - 1.0), min(max(point[1], 0.0), shape[0] - 1.0)


def _draw_line(
    pen: ImageDraw.ImageDraw,
    points: Sequence[Point],
    label: int,
    width: int,
    pause: Callable[[], None] | None = None,
) -> None:
    centers = [(math.floor(x + 0.5), math.floor(y + 0.5)) for x, y in points]
    sides = np.abs(np.diff(np.array(centers), axis=0))
    longest = int(sides.max()) if len(sides) else 0
    # Pillow lets nobody else run while it draws, so a long line is drawn in pieces.
    piece = max(1, _PIECE // (width * (width + longest)))
    for first in range(0, len(centers), piece):
        if pause is not None:
            pause()
        _draw_piece(pen, centers[first : first + piece + 1], label, width)


def _draw_piece(
    pen: ImageDraw.ImageDraw, centers: Sequence[tuple[int, int]], label: int, width: int
) -> None:
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


def _draw_region(pen: ImageDraw.ImageDraw, stroke: VectorStroke, shape: tuple[int, int]) -> None:
    points = [(min(max(x, -_FAR), _FAR), min(max(y, -_FAR), _FAR)) for x, y in stroke.points]
    if stroke.shape == "polygon":
        pen.polygon(points, fill=stroke.label, outline=stroke.label)
        return
    (x0, y0), (x1, y1) = points
    if stroke.shape == "circle":
        radius = math.hypot(x1 - x0, y1 - y0)
        if radius > _LARGE:
            _draw_large_circle(pen, (x0, y0), radius, stroke.label, shape)
            return
        box = (x0 - radius, y0 - radius, x0 + radius, y0 + radius)
        pen.ellipse(box, fill=stroke.label, outline=stroke.label)
    else:
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        pen.rectangle(box, fill=stroke.label, outline=stroke.label)


def _draw_large_circle(
    pen: ImageDraw.ImageDraw,
    centre: Point,
    radius: float,
    label: int,
    shape: tuple[int, int],
) -> None:
    """Fill a circle row by row within the image: Pillow would go through all of its rows."""
    x, y = centre
    for row in range(max(0, math.ceil(y - radius)), min(shape[0], math.floor(y + radius) + 1)):
        half = math.sqrt(max(radius**2 - (row - y) ** 2, 0.0))
        first, last = max(0, math.ceil(x - half)), min(shape[1] - 1, math.floor(x + half))
        if first <= last:
            pen.rectangle((first, row, last, row), fill=label)
