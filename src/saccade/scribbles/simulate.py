"""Simulated annotators: strokes drawn into a ground-truth mask as a person would draw them.

Three habits are modelled after the human strokes that interactive methods are judged on:

- ``thin``: one short stroke inside the object and about three around it (roughly 1 % of pixels),
- ``full``: several longer strokes a side,
- ``classes``: one or two strokes in each of the larger connected regions of every class.

A stroke is a slightly bent line whose whole length stays inside its region. `draw_through` is the
same hand when it is told where to draw: a correction, or the answer to a suggestion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from saccade.errors import InputError

_TRIES = 24


@dataclass(frozen=True)
class StrokeStyle:
    """How an annotator draws.

    ``strokes`` is the inclusive range of strokes per region, ``length`` the range of a stroke's
    length as a share of the region's extent, ``width`` the pen's width in pixels, ``margin`` the
    distance in pixels that strokes keep from the region's border where there is room. ``medial``
    draws one stroke along the middle of the region instead, ``length`` being the share of it.
    """

    strokes: tuple[int, int] = (1, 1)
    length: tuple[float, float] = (0.25, 0.6)
    width: int = 3
    margin: float = 4.0
    medial: bool = False


def _bent_line(
    start: NDArray[np.float64], end: NDArray[np.float64], bend: float
) -> NDArray[np.float64]:
    """Points (n, 2), (y, x), of a quadratic curve from ``start`` to ``end``."""
    along = end - start
    middle = (start + end) / 2 + bend * np.array([-along[1], along[0]])
    t = np.linspace(0.0, 1.0, max(2, int(np.hypot(*along)) + 1))[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def _stay_inside(points: NDArray[np.float64], region: NDArray[np.bool_]) -> float:
    """Share of the curve's points that lie in ``region``."""
    index = np.rint(points).astype(int)
    inside = (index >= 0).all(1) & (index < region.shape).all(1)
    hits = region[index[inside, 0], index[inside, 1]]
    return float(hits.sum()) / len(points)


def draw_stroke(
    region: NDArray[np.bool_],
    taken: NDArray[np.bool_],
    style: StrokeStyle,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Draw one stroke into ``region`` (H, W), away from what is ``taken`` (H, W) already.

    Returns:
        The stroke's pixels (H, W), all inside ``region``; empty where the region is.
    """
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    room = depth > min(style.margin, 0.6 * float(depth.max()))
    candidates = np.argwhere(room)
    if len(candidates) == 0:
        return np.zeros_like(region)
    if taken.any():
        # People spread their strokes: prefer starts far from those already drawn.
        away = ndimage.distance_transform_edt(~taken)[room]
        weights = away / away.sum() if away.sum() > 0 else None
    else:
        weights = None
    extent = float(np.ptp(candidates, axis=0).max()) + 1
    best, best_length = None, -1.0
    for _ in range(_TRIES):
        start = candidates[rng.choice(len(candidates), p=weights)].astype(float)
        length = extent * rng.uniform(*style.length)
        angle = rng.uniform(0, 2 * np.pi)
        end = start + length * np.array([np.sin(angle), np.cos(angle)])
        points = _bent_line(start, end, rng.normal(0, 0.08))
        if _stay_inside(points, room) == 1.0:
            best, best_length = points, length
            break
        # Otherwise keep the longest part that stays inside, in case nothing better turns up.
        index = np.rint(points).astype(int).clip(0, np.array(region.shape) - 1)
        leave = np.flatnonzero(~room[index[:, 0], index[:, 1]])
        stop = int(leave[0]) if len(leave) else len(points)
        if stop > best_length:
            best, best_length = points[: max(stop, 1)], float(stop)
    assert best is not None
    return _rasterize(best, region.shape, style.width) & region


def draw_through(
    region: NDArray[np.bool_],
    place: tuple[int, int],
    rng: np.random.Generator,
    *,
    length: tuple[float, float] = (0.2, 0.4),
    margin: float = 5.0,
) -> NDArray[np.bool_]:
    """Draw one stroke through ``place`` that stays inside ``region``.

    Lengths and width are those of the human strokes of the thin kind: half of these are between
    0.27 and 0.38 of the image's shorter side long, and they are a hundredth of it wide.

    Args:
        region: (H, W), where the stroke's class is.
        place: (y, x) in ``region``, anywhere along the stroke.
        rng: the annotator's hand.
        length: range of the stroke's length as a share of the image's shorter side; shorter where
            no direction has the room.
        margin: distance in pixels that the stroke keeps from the region's border where ``place``
            leaves room for it.

    Returns:
        The stroke's pixels (H, W), ``place`` among them, all inside ``region``.

    Raises:
        InputError: ``place`` lies outside of ``region``.
    """
    size = region.shape
    if not (0 <= place[0] < size[0] and 0 <= place[1] < size[1] and region[place]):
        raise InputError(f"place (y, x) = {place} is outside of the region; the stroke goes inside")
    wanted = min(size) * rng.uniform(*length)
    room = _room_around(region, place, margin, 1.2 * wanted)
    best = np.array([place], float)
    for _ in range(_TRIES):
        angle, before = rng.uniform(0, 2 * np.pi), rng.uniform()
        along = wanted * np.array([np.sin(angle), np.cos(angle)])
        points = _bent_line(np.zeros(2), along, rng.normal(0, 0.08))
        here = round(before * (len(points) - 1))
        piece = _piece_inside(points - points[here] + place, here, room)
        if len(piece) > len(best):
            best = piece
        if len(best) == len(points):
            break
    stroke = _rasterize(np.rint(best), size, max(1, round(min(size) / 100)))
    stroke[place] = True
    return np.logical_and(stroke, region)


def _room_around(
    region: NDArray[np.bool_], place: tuple[int, int], margin: float, reach: float
) -> NDArray[np.bool_]:
    """Pixels of ``region`` that keep ``margin`` from its border, where ``place`` itself does.

    True only within ``reach`` of the place and a little farther; distances from there are all that
    is computed.
    """
    # Inside of the window distances below the margin are those of the whole region, and that of
    # the place is if it matters.
    far = int(reach + margin / 0.6) + 2
    window = tuple(slice(max(0, at - far), at + far + 1) for at in place)
    depth = ndimage.distance_transform_edt(np.pad(region[window], 1))[1:-1, 1:-1]
    here = tuple(at - part.start for at, part in zip(place, window, strict=True))
    room = np.zeros_like(region)
    room[window] = depth > min(margin, 0.6 * float(depth[here]))
    return room


def _piece_inside(
    points: NDArray[np.float64], here: int, room: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The longest piece of a curve (n, 2) around its point ``here`` that stays in ``room``."""
    index = np.rint(points).astype(int).clip(-1, room.shape) + 1
    outside = np.flatnonzero(~np.pad(room, 1)[index[:, 0], index[:, 1]])
    cut = int(np.searchsorted(outside, here))
    first = int(outside[cut - 1]) + 1 if cut else 0
    last = int(outside[cut]) if cut < len(outside) else len(points)
    return points[first : max(last, first)]


def _rasterize(points: NDArray[np.float64], size: tuple[int, ...], width: int) -> NDArray[np.bool_]:
    """A line (H, W) of ``width`` pixels along points (n, 2), (y, x)."""
    canvas = Image.new("1", (size[1], size[0]))
    corners = [(float(x), float(y)) for y, x in points]
    ImageDraw.Draw(canvas).line(corners * (2 if len(corners) == 1 else 1), fill=1, width=width)
    return np.array(canvas, dtype=bool)


def draw_medial_stroke(
    region: NDArray[np.bool_], rng: np.random.Generator, *, width: int = 3, share: float = 1.0
) -> NDArray[np.bool_]:
    """Draw along the middle of ``region`` (H, W): the longest path of its skeleton.

    ``share`` is the part of that path that is drawn, a random stretch of it.
    """
    skeleton: NDArray[np.bool_] = skeletonize(region)  # type: ignore[no-untyped-call]
    points = np.argwhere(skeleton)
    if len(points) < 2:
        return draw_stroke(region, np.zeros_like(region), StrokeStyle(width=width), rng)
    pairs = np.array(sorted(cKDTree(points).query_pairs(1.5)), np.int64).reshape(-1, 2)
    ones = np.ones(len(pairs))
    graph = csr_matrix((ones, (pairs[:, 0], pairs[:, 1])), (len(points), len(points)))
    # Two sweeps find the longest path of a tree, and a skeleton is nearly one.
    first = dijkstra(graph, directed=False, indices=int(rng.integers(len(points))), unweighted=True)
    start = int(np.where(np.isfinite(first), first, -1).argmax())
    second, before = dijkstra(
        graph, directed=False, indices=start, unweighted=True, return_predecessors=True
    )
    node = int(np.where(np.isfinite(second), second, -1).argmax())
    path = [node]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    keep = max(2, round(share * len(path)))
    first_kept = int(rng.integers(0, max(1, len(path) - keep + 1)))
    line = points[path[first_kept : first_kept + keep]]
    canvas = Image.new("1", (region.shape[1], region.shape[0]))
    corners = [(float(x), float(y)) for y, x in line[:: max(1, len(line) // 12)]]
    corners.append((float(line[-1][1]), float(line[-1][0])))
    ImageDraw.Draw(canvas).line(corners, fill=1, width=width, joint="curve")
    return np.asarray(canvas, dtype=bool) & region


def simulate_strokes(
    truth: NDArray[np.integer],
    rng: np.random.Generator,
    *,
    styles: dict[int, StrokeStyle] | StrokeStyle | None = None,
    by_component: bool = False,
    min_area: int = 64,
    ignore: int = 255,
    unlabeled: int = 255,
) -> NDArray[np.uint8]:
    """Strokes (H, W) for every class of ``truth`` (H, W), ``unlabeled`` where nothing is drawn.

    Args:
        truth: class of each pixel, ``ignore`` where unknown.
        rng: the annotator's hand.
        styles: one style, or one per class; by default the thin style.
        by_component: draw in each connected region of a class (street scenes) instead of
            treating the class as one region (an object and its background).
        min_area: smaller regions get no stroke unless they are all the class has.
        ignore: label of unknown pixels.
        unlabeled: value of pixels without a stroke in the result.
    """
    strokes = np.full(truth.shape, unlabeled, np.uint8)
    for value in np.unique(truth):
        if value == ignore:
            continue
        style = styles.get(int(value), StrokeStyle()) if isinstance(styles, dict) else styles
        style = style or StrokeStyle()
        mask = truth == value
        for region in _regions(mask, by_component, min_area):
            taken = np.zeros_like(mask)
            if style.medial:
                share = rng.uniform(*style.length)
                taken |= draw_medial_stroke(region, rng, width=style.width, share=share)
            else:
                for _ in range(int(rng.integers(style.strokes[0], style.strokes[1] + 1))):
                    taken |= draw_stroke(region, taken, style, rng)
            strokes[taken] = value
    return strokes


def _regions(mask: NDArray[np.bool_], by_component: bool, min_area: int) -> list[NDArray[np.bool_]]:
    if not by_component:
        return [mask]
    parts, count = ndimage.label(mask)
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    keep = [i for i in range(count) if areas[i] >= min_area] or [int(areas.argmax())]
    return [parts == i + 1 for i in keep]


THIN: dict[int, StrokeStyle] = {
    0: StrokeStyle(strokes=(2, 4), length=(0.12, 0.35), margin=12.0),
    1: StrokeStyle(strokes=(1, 1), length=(0.25, 0.7), margin=5.0),
}
"""Binary masks, few strokes: one inside the object, about three around it."""

FULL: dict[int, StrokeStyle] = {
    0: StrokeStyle(strokes=(3, 6), length=(0.2, 0.6), margin=8.0),
    1: StrokeStyle(strokes=(2, 5), length=(0.3, 0.8), margin=4.0),
}
"""Binary masks, fuller strokes."""

DENSE: dict[int, StrokeStyle] = {
    0: StrokeStyle(strokes=(8, 20), length=(0.2, 0.8), margin=4.0),
    1: StrokeStyle(strokes=(6, 14), length=(0.3, 0.9), margin=3.0),
}
"""Binary masks, hatched: a tenth of the pixels and more."""

CLASSES = StrokeStyle(length=(0.5, 1.0), medial=True)
"""Many classes: a stroke along the middle of each connected region."""
