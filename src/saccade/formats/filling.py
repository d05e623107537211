"""Regions as spans of rows: many polygons or ellipses at once, and spans into an image.

Everything is vectorised over the rows of all shapes, so that ten thousand triangles cost hardly
more than one region of as many rows. Coordinates are (x, y) with (0, 0) at the upper left corner of
the first pixel; a pixel belongs to a region when its centre does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Ellipse = tuple[float, float, float, float, float]
"""Centre x and y, the two radii above 0, and the angle in degrees by which the first is turned."""

_MOST_CROSSINGS = 500_000  # that are computed at once: some 50 MB
_THIN = 1e-3  # pixels; thinner ellipses would overflow
_NARROW = 24  # pixels; narrower spans are painted together
_MOST_NARROW = 4_000_000  # pixels that are painted together


@dataclass(frozen=True)
class Spans:
    """Pixels of shapes, each span within one row, in the order of the shapes.

    Attributes:
        shapes: (N,) index of the shape.
        rows: (N,) row in the image.
        starts: (N,) first column.
        stops: (N,) column after the last; above `starts`.
    """

    shapes: Ints
    rows: Ints
    starts: Ints
    stops: Ints


def rows_crossed(points: Floats, height: int) -> int:
    """Number of places, about, where the sides of a polygon cross rows of the image."""
    y = points[:, 1].clip(0, height)
    return int(np.abs(np.diff(y, append=y[:1])).sum()) + len(points)


def polygon_spans(rings: Sequence[Floats], height: int, width: int) -> Iterator[Spans]:
    """Yield the pixels of polygons, each filled by even-odd; centres on a side are inside.

    Args:
        rings: (N, 2) corners (x, y) of each polygon, N >= 3.
        height: of the image.
        width: of the image.
    """
    sizes = np.array([len(ring) for ring in rings])
    owners = np.repeat(np.arange(len(rings)), sizes)
    # Corners of pixels are on whole numbers there, their centres are here.
    begin = np.concatenate(rings) - 0.5
    following = np.arange(1, len(begin) + 1)
    following[sizes.cumsum() - 1] = sizes.cumsum() - sizes
    end = begin[following]
    # Upwards all of them: both ways along a seam must cross a row at the very same place.
    turned = begin[:, 1] > end[:, 1]
    begin[turned], end[turned] = end[turned], begin[turned]
    low, high = (np.ceil(side[:, 1]).clip(0, height) for side in (begin, end))
    crossings = (high - low).astype(np.int64) + 1
    per_ring = np.bincount(owners, weights=crossings)
    for first, last, bands in _portions(per_ring):
        mine = slice(int(sizes[:first].sum()), int(sizes[:last].sum()))
        top = int(low[mine].min())
        bottom = int(high[mine].max()) + 1
        edges = np.linspace(top, bottom, bands + 1).round().astype(int)
        for upper, lower in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            rows = upper, min(lower, height)
            yield _spans_between(owners[mine], begin[mine], end[mine], rows, width)


def ellipse_spans(ellipses: Sequence[Ellipse], height: int, width: int) -> Iterator[Spans]:
    """Yield the pixels of ellipses.

    Args:
        ellipses: in pixels; angles are clockwise from the x axis.
        height: of the image.
        width: of the image.
    """
    numbers = np.array(ellipses)
    reach = np.minimum(numbers[:, 2:4].max(1) * 2 + 2, height)
    for first, last, _ in _portions(reach):
        spans = _ellipses_at_once(numbers[first:last], height, width)
        yield Spans(spans.shapes + first, spans.rows, spans.starts, spans.stops)


def paint_spans(image: NDArray[Any], spans: Spans, values: NDArray[Any]) -> None:
    """Set the pixels of spans, in their order, to `values` (S,), one for each shape.

    Args:
        image: (H, W), contiguous.
        spans: inside of the image.
        values: of the shapes.
    """
    flat = image.reshape(-1)
    begin = spans.rows * image.shape[1] + spans.starts
    lengths = spans.stops - spans.starts
    colors = values[spans.shapes]
    if not len(begin):
        return
    if lengths.mean() > _NARROW:
        stops = begin + lengths
        for start, stop, color in zip(begin.tolist(), stops.tolist(), colors.tolist(), strict=True):
            flat[start:stop] = color
        return
    for first, last, _ in _portions(lengths, _MOST_NARROW):
        part = lengths[first:last]
        offsets = np.arange(int(part.sum())) - np.repeat(part.cumsum() - part, part)
        # Of a pixel that is named twice the last value stays.
        flat[np.repeat(begin[first:last], part) + offsets] = np.repeat(colors[first:last], part)


def spans_of_parts(spans: Iterable[Spans], owners: Sequence[int]) -> Iterator[Spans]:
    """Spans of parts as spans of the shapes that have these parts."""
    table = np.array(owners)
    for part in spans:
        yield replace(part, shapes=table[part.shapes])


def in_order(spans: Iterable[Spans]) -> list[Spans]:
    """All spans as one, sorted by the index of the shape."""
    parts = list(spans)
    shapes, rows, starts, stops = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("shapes", "rows", "starts", "stops")
    )
    order = np.argsort(shapes, kind="stable")
    return [Spans(shapes[order], rows[order], starts[order], stops[order])]


def _portions(work: NDArray[Any], most: int = _MOST_CROSSINGS) -> Iterator[tuple[int, int, int]]:
    """Yield (first, last, parts): groups of items of `most` work, or one item in several parts."""
    total = work.cumsum()
    first = 0
    while first < len(work):
        before = float(total[first - 1]) if first else 0.0
        last = max(first + 1, int(np.searchsorted(total, before + most, side="right")))
        yield first, last, max(1, -int(-(float(total[last - 1]) - before) // most))
        first = last


def _spans_between(
    owners: Ints, begin: Floats, end: Floats, rows: tuple[int, int], width: int
) -> Spans:
    """The spans in some rows: where the sides to the right, or to the left, are odd in number.

    Both, as a centre on a side is inside; on a seam, which is two sides, it is as beside the seam.
    """
    y0, y1 = begin[:, 1], end[:, 1]
    shape_r, row_r, right = _crossings(owners, begin, end, np.ceil(y0), np.ceil(y1), rows)
    shape_l, row_l, left = _crossings(owners, begin, end, np.floor(y0) + 1, np.floor(y1) + 1, rows)
    parts: list[tuple[NDArray[Any], ...]] = [
        (shape_r, row_r, np.ceil(right[::2]), np.ceil(right[1::2]))
    ]
    lefts: tuple[NDArray[Any], ...] = (
        shape_l,
        row_l,
        np.floor(left[::2]) + 1,
        np.floor(left[1::2]) + 1,
    )
    if len(row_l) == len(row_r):  # most are the same
        other = np.any([a != b for a, b in zip(parts[0], lefts, strict=True)], axis=0)
        lefts = tuple(part[other] for part in lefts)
    parts.append(lefts)
    for corners in (begin, end):
        x, y = corners.T
        there = (x == np.floor(x)) & (y == np.floor(y)) & (y >= rows[0]) & (y < rows[1])
        if there.any():
            parts.append((owners[there], y[there].astype(np.int64), x[there], x[there] + 1))
    shapes, lines, starts, stops = (np.concatenate(p) for p in zip(*parts, strict=True))
    return _clipped(shapes, lines, starts, stops, width)


def _clipped(shapes: Ints, rows: Ints, starts: Floats, stops: Floats, width: int) -> Spans:
    begin = starts.clip(0, width).astype(np.int64)
    end = stops.clip(0, width).astype(np.int64)
    seen = np.flatnonzero(begin < end)
    order = seen[np.argsort(shapes[seen], kind="stable")]
    return Spans(shapes[order], rows[order], begin[order], end[order])


def _crossings(
    owners: Ints,
    begin: Floats,
    end: Floats,
    first: Floats,
    last: Floats,
    rows: tuple[int, int],
) -> tuple[Ints, Ints, Floats]:
    """Shape and row of every second crossing, and x of all: even in number in each row."""
    low, high = first.clip(*rows).astype(np.int64), last.clip(*rows).astype(np.int64)
    side, row = ranges(low, high)
    (x0, y0), (x1, y1) = begin[side].T, end[side].T
    x = x0 + (row - y0) * (x1 - x0) / (y1 - y0)
    order = np.lexsort((x, row, owners[side]))
    return owners[side][order][::2], row[order][::2], x[order]


def ranges(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Return, for each member of each of the ranges low..high - 1, which range, and the member.

    Example:
        >>> [part.tolist() for part in ranges(np.array([3, 7]), np.array([5, 8]))]
        [[0, 0, 1], [3, 4, 7]]
    """
    counts = np.maximum(high - low, 0)
    index = np.repeat(np.arange(len(counts)), counts)
    member = np.arange(len(index)) - np.repeat(counts.cumsum() - counts, counts)
    return index, member + low[index]


def _ellipses_at_once(ellipses: Floats, height: int, width: int) -> Spans:
    x, y, first, second, degrees = ellipses.T
    x, y = x - 0.5, y - 0.5
    first, second = np.maximum(first, _THIN), np.maximum(second, _THIN)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    reach = np.hypot(first * sine, second * cosine)
    low = np.ceil(y - reach).clip(0, height).astype(np.int64)
    high = (np.floor(y + reach) + 1).clip(0, height).astype(np.int64)
    shape, row = ranges(low, high)
    # Of a dx^2 + b dx dy + c dy^2 = 1: where a row crosses it.
    a = (cosine / first) ** 2 + (sine / second) ** 2
    b = 2 * sine * cosine * (first**-2 - second**-2)
    dy = row - y[shape]
    root = np.sqrt(np.maximum(a[shape] - (dy / (first * second)[shape]) ** 2, 0))
    middle = x[shape] - b[shape] * dy / (2 * a[shape])
    half = root / a[shape]
    return _clipped(shape, row, np.ceil(middle - half), np.floor(middle + half) + 1, width)
