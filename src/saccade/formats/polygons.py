"""Regions as polygons that follow the sides of pixels, and back.

COCO's polygons have no holes: a hole is joined to its outer ring by a seam of no width, which
every even-odd filler passes over. So the polygons hold exactly the pixels of the mask.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError

Ring = NDArray[np.int64]
"""(N, 2) corners (x, y) of a closed line; (0, 0) is the upper left corner of the first pixel."""

# Directions of the sides as they are walked with the region on the right hand.
_RIGHT, _DOWN, _LEFT, _UP = range(4)

# Rows that are filled at once: this many at least, and more where there are few sides.
_BAND, _MOST_SIDES = 64, 500_000


def region_polygons(mask: NDArray[np.bool_]) -> list[Ring]:
    """Return one polygon for each 4-connected region of a mask (H, W), holes joined by seams."""
    from skimage import measure

    tools: Any = measure  # its functions carry no types
    regions = tools.label(mask, background=0, connectivity=1)
    outer: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {}
    for ring, inside in _rings(mask):
        region = int(regions[inside])
        if _signed_area(ring) > 0:
            outer[region] = ring
        else:
            holes.setdefault(region, []).append(ring)
    return [_joined(ring, holes.get(region, [])) for region, ring in sorted(outer.items())]


def fill_polygon(points: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask (H, W) of the pixels whose centre is inside a polygon, by even-odd.

    Centres on a side count as inside, as in `skimage.draw.polygon`, which takes a hundred times
    the memory of the mask.

    Args:
        points: (N, 2) corners (x, y), N >= 3.
        height: of the mask.
        width: of the mask.
    """
    mask = np.zeros((height, width), dtype=bool)
    # Corners of pixels are on whole numbers there, their centres are here.
    begin = points - 0.5
    end = np.roll(begin, -1, axis=0)
    # Upwards all of them: both ways along a seam must cross a row at the very same place.
    turned = begin[:, 1] > end[:, 1]
    begin[turned], end[turned] = end[turned], begin[turned]
    low, high = begin[:, 1], end[:, 1]
    first, last = max(0, math.ceil(low.min())), min(height - 1, math.floor(high.max()))
    band = max(_BAND, min(_MOST_SIDES // len(points), 4096))
    for top in range(first, last + 1, band):
        bottom = min(top + band - 1, last)
        near = (low <= bottom) & (high >= top)  # a polygon may have many sides, a row has few
        _fill_rows(mask[top : bottom + 1], top, begin[near], end[near])
    return mask


def checked_points(flat: Any, what: str) -> NDArray[np.float64]:
    """Return [x, y, x, y, ...] or [[x, y], ...] as (N, 2), N >= 3.

    Raises:
        InputError: anything else, NaN or infinity.
    """
    try:
        points = np.asarray(flat, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what}: expected a polygon as x, y, x, y, ...") from error
    if len(points) < 3 or not np.isfinite(points).all() or np.abs(points).max() > 1e7:
        raise InputError(f"{what}: expected a polygon of at least three finite points")
    return points


def _fill_rows(
    pixels: NDArray[np.bool_], top: int, begin: NDArray[np.float64], end: NDArray[np.float64]
) -> None:
    """Fill rows: where the sides to the right, or those to the left, are odd in number.

    Both, as a centre on a side is inside; on a seam, which is two sides, it is as beside the seam.
    """
    (x0, y0), (x1, y1) = begin.T, end.T
    rows = np.arange(top, top + len(pixels), dtype=np.float64)[:, None]
    row_r, right = _crossings(rows, (y0 <= rows) & (y1 > rows), begin, end)
    row_l, left = _crossings(rows, (y0 < rows) & (y1 >= rows), begin, end)
    (row_0, corner_0), (row_1, corner_1) = np.nonzero(y0 == rows), np.nonzero(y1 == rows)
    corners = np.concatenate([x0[corner_0], x1[corner_1]])
    places = np.concatenate([row_r[::2], row_l[::2], row_0, row_1]).tolist()
    starts = [np.ceil(right[::2]), np.floor(left[::2]) + 1, np.ceil(corners)]
    stops = [np.ceil(right[1::2]), np.floor(left[1::2]) + 1, np.floor(corners) + 1]
    width = pixels.shape[1]
    spans = (np.concatenate(ends).clip(0, width).astype(int).tolist() for ends in (starts, stops))
    for row, start, stop in zip(places, *spans, strict=True):
        pixels[row, start:stop] = True  # nothing where the start is not before the stop


def _crossings(
    rows: NDArray[np.float64],
    crosses: NDArray[np.bool_],
    begin: NDArray[np.float64],
    end: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of the rows (R, 1) sides cross, (R, S), and where: an even number in each row."""
    place, side = np.nonzero(crosses)
    (x0, y0), (x1, y1) = begin[side].T, end[side].T
    x = x0 + (rows[place, 0] - y0) * (x1 - x0) / (y1 - y0)
    order = np.lexsort((x, place))
    return place[order], x[order]


def _rings(mask: NDArray[np.bool_]) -> Iterator[tuple[Ring, tuple[int, int]]]:
    """Yield every closed line between region and rest, and a pixel of the region beside it."""
    starts, ends, directions, inside = _sides(mask)
    following = _following(starts, ends, directions)
    seen = np.zeros(len(starts), dtype=bool)
    for first in range(len(starts)):
        if seen[first]:
            continue
        loop = [first]
        seen[first] = True
        side = int(following[first])
        while side != first:
            seen[side] = True
            loop.append(side)
            side = int(following[side])
        walked = np.asarray(loop)
        turns = directions[walked] != directions[np.roll(walked, 1)]
        pixel = inside[first]
        yield starts[walked][turns], (int(pixel[1]), int(pixel[0]))


def _sides(
    mask: NDArray[np.bool_],
) -> tuple[Ring, Ring, NDArray[np.int64], NDArray[np.int64]]:
    """Sides between region and rest: start and end (S, 2), direction, pixel (S, 2) beside it."""
    padded = np.pad(mask, 1)
    own = padded[1:-1, 1:-1]
    # For each side of a pixel: whose neighbour is missing, where the side begins, where it ends.
    kinds = (
        (_RIGHT, own & ~padded[:-2, 1:-1], (0, 0), (1, 0)),
        (_DOWN, own & ~padded[1:-1, 2:], (1, 0), (1, 1)),
        (_LEFT, own & ~padded[2:, 1:-1], (1, 1), (0, 1)),
        (_UP, own & ~padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    starts, ends, directions, inside = [], [], [], []
    for direction, there, start, end in kinds:
        pixels = np.argwhere(there)[:, ::-1]
        starts.append(pixels + start)
        ends.append(pixels + end)
        directions.append(np.full(len(pixels), direction))
        inside.append(pixels)
    return (
        np.concatenate(starts),
        np.concatenate(ends),
        np.concatenate(directions),
        np.concatenate(inside),
    )


def _following(starts: Ring, ends: Ring, directions: NDArray[np.int64]) -> NDArray[np.int64]:
    """The side that begins where each side ends.

    Where two regions touch at a corner two sides begin; the right turn stays with the region.
    """
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    base = int(starts.max()) + 1
    order = np.argsort((starts[:, 1] * base + starts[:, 0]) * 4 + directions, kind="stable")
    keys = ((starts[:, 1] * base + starts[:, 0]) * 4 + directions)[order]
    corner = (ends[:, 1] * base + ends[:, 0]) * 4
    found = np.full(len(starts), -1)
    for turn in (1, 0, 3):  # right, straight on, left
        wanted = corner + (directions + turn) % 4
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        hit = (keys[place] == wanted) & (found < 0)
        found[hit] = order[place[hit]]
    return found


def _signed_area(ring: Ring) -> int:
    x, y = ring[:, 0], ring[:, 1]
    return int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _joined(ring: Ring, holes: Sequence[Ring]) -> Ring:
    """A ring with its holes cut in, each by a seam to the nearest corner."""
    for hole in sorted(holes, key=lambda h: (int(h[:, 1].min()), int(h[:, 0].min()))):
        start = int(np.lexsort((hole[:, 0], hole[:, 1]))[0])
        turned = np.roll(hole, -start, axis=0)
        near = int(np.abs(ring - turned[0]).sum(1).argmin())
        ring = np.concatenate([ring[: near + 1], turned, turned[:1], ring[near:]])
    return ring
