"""Shades at the edges of strokes: brushes with soft edges, and strokes that were resized.

A shade lies between its neighbours, on the line from one colour to another. A colour most of
whose pixels do is no stroke, unless it fills areas wider than an edge.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
_PAIRS = [(i, j) for i in range(8) for j in range(i)]
_DISTANCE = 6.0  # in 8-bit levels, from the straight line between two colours
_MOSTLY = 0.6  # of the pixels of a shade
_WIDE = 0.15  # of the pixels of a stroke lie within it, of one wider than three or so
_OWN = 0.1  # of what was drawn: a colour of a thin stroke that lies between others by chance
_MOST_MIXED = 0.75  # of the pixels around such a colour are shades
_RARE = 0.02  # of what was drawn: less is no stroke where edges are soft
_OVERSHOOT = 0.25  # of the line's length: what bicubic and Lanczos add at its ends
_NEAR_CANVAS, _NEAR_STROKE = 32.0, 52.0  # in 8-bit levels, per channel
_LEAST_SHADES = 5  # values beside the canvas: soft edges of two strokes have more
_MOST_LABELS = 40
_MOST_STEP = 1.5  # between class values that follow each other, with few left out
_AT_ONCE = 50_000  # pixels


def edge_shades(
    pixels: NDArray[np.uint8],
    index: NDArray[Any],
    colors: NDArray[Any],
    counts: NDArray[Any],
) -> NDArray[np.int64]:
    """For each colour the place of the stroke's that it stands for; -1 for a shade of edges.

    Without soft edges each colour stands for itself.

    Args:
        pixels: (H, W, C) uint8.
        index: (H, W) place of each pixel's colour in `colors`, -1 where there is none.
        colors: (N, C) of the colours.
        counts: (N,) pixels of each.

    Example:
        >>> row = np.array([[9, 9, 9, 5, 0, 0, 0]] * 5, np.uint8) * 20
        >>> colors, index = np.unique(row, return_inverse=True)
        >>> edge_shades(row[..., None], index.reshape(5, 7), colors[:, None], np.array([15, 5, 15]))
        array([ 0, -1,  2])
    """
    colors = colors.astype(np.float32)
    size = len(colors)
    inner = _inner(index)
    edge = np.flatnonzero(~inner & (index >= 0))
    between = np.bincount(index.flat[edge][_between(pixels, index, edge)], minlength=size)
    wide = np.bincount(index[inner & (index >= 0)], minlength=size) > _WIDE * counts
    shades = (between >= _MOSTLY * counts) & ~wide
    canvas = int(counts.argmax())
    shades[canvas] = False
    stands = np.arange(size)
    if not shades.any():
        return stands
    stands[shades] = -1
    left = np.where(shades, 0, counts - between)
    left[canvas] = 0
    scale = np.sqrt(colors.shape[1])
    own = _own(colors, left, between, counts, canvas, _NEAR_STROKE / 2 * scale)
    firm = [canvas]
    order = sorted(np.flatnonzero(left > 0), key=lambda i: (-bool(wide[i]), -left[i]))
    for i in order:
        away = np.linalg.norm(colors[firm] - colors[i], axis=1)
        alone = bool(wide[i]) and left[i] >= _RARE * left.sum()
        if not alone and away[0] <= _NEAR_CANVAS * scale:
            stands[i] = -1
        elif not alone and len(firm) > 1 and away[1:].min() <= _NEAR_STROKE * scale:
            stands[i] = firm[1 + int(away[1:].argmin())]
        elif not alone and not own[i] and _on_a_line(colors[i], colors[firm]):
            stands[i] = -1
        else:
            firm.append(int(i))
    return np.asarray(stands, np.int64)


def _own(
    colors: NDArray[Any],
    left: NDArray[Any],
    between: NDArray[Any],
    counts: NDArray[Any],
    canvas: int,
    radius: float,
) -> NDArray[np.bool_]:
    """Mark colours around which much was drawn that is not between neighbours."""
    own = np.zeros(len(colors), bool)
    others = np.arange(len(colors)) != canvas
    for i in np.flatnonzero(left > 0):
        near = others & (np.linalg.norm(colors - colors[i], axis=1) <= radius)
        enough = left[near].sum() >= _OWN * left.sum()
        own[i] = enough and between[near].sum() < _MOST_MIXED * counts[near].sum()
    return own


def _inner(index: NDArray[Any]) -> NDArray[np.bool_]:
    """Where all eight neighbours have the same colour, or lie outside."""
    padded = np.pad(index, 1, mode="edge")
    inner = np.ones(index.shape, bool)
    for y, x in _NEIGHBOURS:
        inner &= _shifted(padded, y, x) == index
    return inner


def _shifted(padded: NDArray[Any], y: int, x: int) -> NDArray[Any]:
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    return padded[1 + y : 1 + y + height, 1 + x : 1 + x + width]


def _between(
    pixels: NDArray[np.uint8], index: NDArray[Any], places: NDArray[Any]
) -> NDArray[np.bool_]:
    """Which of the pixels lie on the line between two of their neighbours, and are neither."""
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    known = np.pad(index, 1, mode="edge") >= 0
    found = np.zeros(len(places), bool)
    for first in range(0, len(places), _AT_ONCE):
        part = places[first : first + _AT_ONCE]
        y, x = np.unravel_index(part, index.shape)
        here = pixels[y, x].astype(np.float32)
        near = np.stack([padded[y + 1 + dy, x + 1 + dx] for dy, dx in _NEIGHBOURS])
        valid = np.stack([known[y + 1 + dy, x + 1 + dx] for dy, dx in _NEIGHBOURS])
        offsets = near.astype(np.float32) - here
        norms = (offsets**2).sum(-1)
        some = np.zeros(len(part), bool)
        for i, j in _PAIRS:
            line = offsets[i] - offsets[j]
            length = np.maximum((line**2).sum(-1), 1e-6)
            along = -(offsets[j] * line).sum(-1) / length
            distance = norms[j] - along**2 * length
            some |= (
                (along > 0.0)
                & (along < 1.0)
                & (distance <= _DISTANCE**2)
                & (np.minimum(norms[i], norms[j]) > 0)
                & (length > _DISTANCE**2)
                & valid[i]
                & valid[j]
            )
        found[first : first + _AT_ONCE] = some
    return found


def _on_a_line(color: NDArray[Any], firm: NDArray[Any]) -> bool:
    start = firm[:, None]
    line = firm[None] - start
    length = np.maximum((line**2).sum(-1), 1e-6)
    along = (((color - start) * line).sum(-1) / length).clip(-_OVERSHOOT, 1 + _OVERSHOOT)
    distance = np.linalg.norm(start + along[..., None] * line - color, axis=-1)
    return bool((distance <= 2 * _DISTANCE).any())


def _are_labels(colors: NDArray[Any], canvas: int) -> bool:
    """Whether values are too few for soft edges, or follow each other as class values do."""
    drawn = colors[colors != canvas]
    if len(drawn) < _LEAST_SHADES:
        return True
    return len(drawn) <= _MOST_LABELS and bool(np.ptp(drawn) < _MOST_STEP * len(drawn))


def without_shades(values: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Grey class values without the shades of soft edges, and a remark on how many there were.

    Shades get the value that covers most of the image. Only 8 bits are looked at, and only where
    at least half of the values are shades: classes of hard strokes never are.

    Args:
        values: (H, W) integers.

    Example:
        >>> shades = [30, 60, 120, 200]
        >>> row = np.array([[0] * 19 + shades + [255] * 5] * 11, np.uint8)
        >>> without_shades(row)[0][0, 18:].tolist()
        [0, 0, 0, 0, 255, 255, 255, 255, 255, 255]
    """
    if values.dtype != np.uint8 or values.size == 0:
        return values, ()
    counts = np.bincount(values.reshape(-1), minlength=256)
    colors = np.flatnonzero(counts)
    counts = counts[colors]
    if counts.max() * 2 < values.size or _are_labels(colors, int(colors[counts.argmax()])):
        return values, ()
    place = np.zeros(256, np.int32)
    place[colors] = np.arange(len(colors))
    index = place[values]
    stands = edge_shades(values[..., None], index, colors[:, None], counts)
    gone = stands != np.arange(len(colors))
    if 2 * gone.sum() < len(colors):
        return values, ()
    from saccade.scribbles.drawn_colors import find_drawn_colors  # SciPy is slow to import

    drawn = find_drawn_colors(values[..., None])
    if drawn is None:
        return values, ()
    remark = f"{drawn.unclear} pixels of shades at soft edges are left unlabelled"
    return drawn.colors[drawn.index][..., 0], (remark,)
