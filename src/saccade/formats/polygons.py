"""Regions as polygons that follow the sides of pixels, and back.

COCO's polygons have no holes: a hole is joined to its outer ring by a seam of no width, which
every even-odd filler passes over. So the polygons hold exactly the pixels of the mask.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.formats.filling import paint_spans, polygon_spans

Ring = NDArray[np.int64]
"""(N, 2) corners (x, y) of a closed line; (0, 0) is the upper left corner of the first pixel."""

# Directions of the sides as they are walked with the region on the right hand.
_RIGHT, _DOWN, _LEFT, _UP = range(4)


def region_polygons(mask: NDArray[np.bool_]) -> list[Ring]:
    """Return one polygon for each 4-connected region of a mask (H, W), holes joined by seams."""
    return [_joined(ring, holes) for ring, holes in region_rings(mask)]


def region_rings(mask: NDArray[np.bool_]) -> list[tuple[Ring, list[Ring]]]:
    """Return the outer line of each 4-connected region of a mask (H, W), and its holes."""
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
    return [(ring, holes.get(region, [])) for region, ring in sorted(outer.items())]


def one_polygon(mask: NDArray[np.bool_]) -> Ring:
    """Return one polygon around all regions of a mask (H, W) with at least one pixel.

    Seams of no width join holes and further regions, so even-odd fills give the mask.
    """
    first, *rest = region_polygons(mask)
    return _joined(first, rest)


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
    for spans in polygon_spans([points], height, width):
        paint_spans(mask, spans, np.ones(1, dtype=bool))
    return mask


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
