"""Strokes of JPEGs and resized images: the few colours that were drawn are found again.

Compression and resizing leave hardly a pixel as it was, and make shades that were never drawn. What
was drawn is still there where the image is even (the inside of a wide stroke) and along the middle
of thin ones, where a pixel is farther from the canvas than those on both sides of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.scribbles.stroke_palette import BIN, CLOSE, MOST_COLORS, SAME_CREST, stroke_palette

_EVEN = 22.0  # 8-bit levels, per channel: an even area varies by less
_FAINT = 0.25  # of the strongest stroke: what is fainter is a trace of compression
_LEAST_DISTANCE = 24.0  # 8-bit levels from the canvas
_CHOSEN = np.array([0, 64, 128, 192, 255], np.float32)  # also the channels of VOC's colours
_SNAP = 4.0  # 8-bit levels
_AT_CANVAS, _EVEN_CANVAS = 8.0, 0.85  # 8-bit levels, and the share of an even canvas within them
_MOST_EVEN = 0.8  # of even areas off the canvas belong to a stroke
_LEAST_EVEN = 300
_MOST_GAP, _MOST_GAP_GREY = 20.0, 5.0  # 8-bit levels, for most of an even area
_MISSED, _NOISE = 10.0, 0.5  # 8-bit levels, and the share of what is farther from the canvas
_NEAR = 0.3  # as CLOSE, where strokes touch
_SUPPORT = 0.2  # of what is clear in a stroke, where two colours touch
_EXPLAINED = 0.15  # of the pixels off the canvas: less looks like a photograph
_NEIGHBOURS = [(0, 1), (1, 0), (1, 1), (1, -1), (0, -1), (-1, 0), (-1, -1), (-1, 1)]
_LOOKED_AT = 2_000_000  # pixels, for the canvas


@dataclass(frozen=True)
class DrawnColors:
    """Colours that were drawn, and where.

    Attributes:
        colors: (N, C) uint8, the canvas first.
        index: (H, W) place in `colors`; 0 on the canvas and where it is unclear what was drawn.
        unclear: pixels off the canvas that belong to no stroke: shades, and traces of compression.
    """

    colors: NDArray[np.uint8]
    index: NDArray[np.int32]
    unclear: int


def find_drawn_colors(pixels: NDArray[np.uint8]) -> DrawnColors | None:
    """The few colours that were drawn on a canvas; None where it looks like a photograph.

    Args:
        pixels: (H, W, C) uint8, grey or RGB.

    Example:
        >>> image = np.full((40, 60, 1), 250, np.uint8)
        >>> image[10:20, 5:50] = 100 + np.random.default_rng(0).integers(0, 9, (10, 45, 1))
        >>> found = find_drawn_colors(image)
        >>> found.colors[:, 0].tolist(), int((found.index == 1).sum())
        ([250, 104], 450)
    """
    canvas = _canvas(pixels)
    distance = _distance(pixels, canvas)
    near = distance < _LEAST_DISTANCE
    if near.mean() <= 0.5 or (distance < _AT_CANVAS).sum() < _EVEN_CANVAS * near.sum():
        return None
    even, crest = np.zeros_like(near), np.zeros_like(near)
    places = np.nonzero(~near)
    even[places] = _even(pixels, *places)
    crest[places] = _crest(distance, *places)
    clear = even | crest
    if not clear.any():
        return None
    least = max(_LEAST_DISTANCE, _FAINT * float(np.quantile(distance[clear], 0.98)))
    drawn = distance >= least
    parts, count = ndimage.label(drawn, np.ones((3, 3)))
    clear &= drawn
    even &= drawn
    palette = stroke_palette(pixels, canvas, clear, even)
    if not 0 < len(palette) <= MOST_COLORS:
        return None
    index = _assign(pixels, canvas, palette, parts, count, clear, even)
    if (index > 0).sum() < _EXPLAINED * drawn.sum():
        return None
    # A colour that nothing was given to in the end was only ever an edge.
    if not _fits(pixels, palette, index, even):
        return None
    used = np.bincount(index.ravel(), minlength=len(palette) + 1) > 0
    used[0] = True
    colors = _snapped(np.vstack([canvas, palette])[used])
    index = (np.cumsum(used) - 1).astype(np.int32)[index]
    unclear = int((drawn & (index == 0)).sum())
    return DrawnColors(colors, index, unclear)


def _fits(
    pixels: NDArray[np.uint8],
    palette: NDArray[np.float32],
    index: NDArray[np.int32],
    even: NDArray[np.bool_],
) -> bool:
    """Whether even areas have their stroke's colour; those of photographs vary."""
    inside = even & (index > 0)
    if even.sum() < _LEAST_EVEN:  # thin strokes alone
        return True
    if inside.sum() < _MOST_EVEN * even.sum():
        return False
    gaps = np.abs(pixels[inside] - palette[index[inside] - 1]).max(1)
    return bool(np.quantile(gaps, 0.7) <= (_MOST_GAP_GREY if len(palette[0]) == 1 else _MOST_GAP))


def _snapped(colors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colours with channels that nearly have a value people choose set to it."""
    gaps = np.abs(colors[..., None] - _CHOSEN)
    chosen = np.where(gaps.min(-1) <= _SNAP, _CHOSEN[gaps.argmin(-1)], colors)
    return np.asarray(np.rint(chosen), np.uint8)


def looks_compressed(pixels: NDArray[np.uint8]) -> bool:
    """Whether an image with an even canvas was once JPEG: many pixels miss the canvas by a little.

    Args:
        pixels: (H, W, C) uint8.

    Example:
        >>> looks_compressed(np.full((9, 9, 3), 250, np.uint8))
        False
    """
    flat = pixels.reshape(-1, pixels.shape[2])
    flat = flat[:: 1 + len(flat) // _LOOKED_AT]
    gaps = np.abs(flat - _canvas(pixels)).max(1)
    missed = int(((gaps > 0.5) & (gaps <= _MISSED)).sum())
    return missed > _NOISE * int((gaps > _MISSED).sum())


def _distance(pixels: NDArray[np.uint8], canvas: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance from the canvas; of a colour that differs in one channel half of it squared."""
    total = np.zeros(pixels.shape[:2], np.float32)
    for channel, value in enumerate(canvas):
        total += (pixels[..., channel] - value) ** 2
    return np.asarray(np.sqrt(total * np.float32(min(len(canvas), 2) / len(canvas))))


def _canvas(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The median colour of the fullest bin."""
    flat = pixels.reshape(-1, pixels.shape[2])
    flat = flat[:: 1 + len(flat) // _LOOKED_AT]
    bins = (flat.astype(np.int32) + BIN // 2) // BIN
    packed = bins @ np.array([1, 17, 289], np.int32)[: pixels.shape[2]]
    fullest = np.bincount(packed).argmax()
    return np.asarray(np.median(flat[packed == fullest], axis=0), np.float32)


def _even(
    pixels: NDArray[np.uint8], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Where a pixel and its eight neighbours are about the same in every channel."""
    high = pixels[rows, columns]
    low = high.copy()
    for y, x in _NEIGHBOURS:
        other = pixels[_inside(rows + y, pixels.shape[0]), _inside(columns + x, pixels.shape[1])]
        np.maximum(high, other, out=high)
        np.minimum(low, other, out=low)
    return np.asarray((high - low).max(-1) < _EVEN)


def _crest(
    distance: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Where a pixel is as far from the canvas as its neighbours on both sides, or farther."""
    height, width = distance.shape
    here = distance[rows, columns]
    found = np.zeros(len(rows), bool)
    for y, x in _NEIGHBOURS[:4]:
        one = distance[_inside(rows + y, height), _inside(columns + x, width)]
        other = distance[_inside(rows - y, height), _inside(columns - x, width)]
        lower = np.minimum(one, other) < 0.9 * here
        found |= (here >= one) & (here >= other) & lower
    return found


def _inside(places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return places.clip(0, size - 1)


def _assign(
    pixels: NDArray[np.uint8],
    canvas: NDArray[np.float32],
    palette: NDArray[np.float32],
    parts: NDArray[np.int32],
    count: int,
    clear: NDArray[np.bool_],
    even: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Place in the palette plus one of each pixel, 0 where it is unclear."""
    nearest = np.full(parts.shape, -1, np.int32)
    flat = pixels[parts > 0].astype(np.float32)
    gaps = np.stack([np.linalg.norm(flat - color, axis=1) for color in palette])
    reach = np.linalg.norm(palette - canvas, axis=1)
    nearest[parts > 0] = gaps.argmin(0)
    # What is clear in a part says which colours it has.
    weight = (clear & (parts > 0)) * (1 + 2 * even)
    votes = np.bincount(
        parts[weight > 0] * len(palette) + nearest[weight > 0],
        weights=weight[weight > 0],
        minlength=(count + 1) * len(palette),
    ).reshape(count + 1, len(palette))
    total = votes.sum(1, keepdims=True)
    has = (votes >= _SUPPORT * total) & (votes >= 3)
    has |= (votes == votes.max(1, keepdims=True)) & (total >= 3)
    index = np.zeros(parts.shape, np.int32)
    alone = has.sum(1) == 1
    which = has.argmax(1)
    part = parts[parts > 0]
    only = which[part]
    close = gaps[only, np.arange(len(part))] <= CLOSE * reach[only]
    own = np.where(alone[part] & close, only + 1, 0)
    best = nearest[parts > 0]
    near = ~_between(palette, canvas)[best] & (gaps.min(0) <= _NEAR * reach[best])
    several = has[part, best] & ~alone[part] & (near | clear[parts > 0])
    index[parts > 0] = np.where(several, best + 1, own)
    return index


def _between(palette: NDArray[np.float32], canvas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which colours an edge between two others, or one and the canvas, has too."""
    found = np.zeros(len(palette), bool)
    for i, color in enumerate(palette):
        ends = np.vstack([canvas, np.delete(palette, i, axis=0)])
        for a in range(len(ends)):
            line = ends[a + 1 :] - ends[a]
            along = (line @ (color - ends[a])) / np.maximum((line**2).sum(1), 1e-6)
            off = np.linalg.norm(ends[a] + along[:, None] * line - color, axis=1)
            found[i] |= bool(((along > 0) & (along < 1) & (off <= SAME_CREST)).any())
    return found
