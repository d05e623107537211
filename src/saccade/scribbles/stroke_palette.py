"""The colours of strokes whose pixels vary: JPEGs, and images that were resized."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BIN = 16  # 8-bit levels: bins in which the canvas is looked for
_LEAST_PIXELS = 8
_SAME_EVEN = 20.0  # 8-bit levels, per channel: two even areas closer than that are one colour
_SAME_RAY = 0.97  # cosine of the angle at the canvas between a stroke and a paler copy of it
_PALER, _PALER_GREY = 0.5, 0.72  # how far a thin stroke may fall short of its colour
SAME_CREST = 30.0  # 8-bit levels, per channel: what is about one colour along thin strokes
_LEAST_CREST = 0.04  # of what is clear of thin strokes
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SAME_LUMA = 30.0  # 8-bit levels
_SAME_HUE, _PALER_HUE = 0.9, 0.4  # as _SAME_RAY and _PALER, of what is left without brightness
MOST_COLORS = 24
CLOSE = 0.4  # of the distance of a colour from the canvas: a pixel of its own


def stroke_palette(
    pixels: NDArray[np.uint8],
    canvas: NDArray[np.float32],
    clear: NDArray[np.bool_],
    even: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Colours of even areas first, then those of thin strokes that are no paler copies.

    Args:
        pixels: (H, W, C) uint8.
        canvas: (C,) its colour.
        clear: (H, W) where a stroke's colour can be trusted.
        even: (H, W) the part of it in even areas.

    Returns:
        (N, C), without the canvas.

    Example:
        >>> pixels = np.full((9, 30, 1), 250, np.uint8)
        >>> pixels[2:7, 5:25] = 90
        >>> drawn = pixels[..., 0] == 90
        >>> stroke_palette(pixels, np.array([250.0]), drawn, drawn).tolist()
        [[90.0]]
    """
    palette: list[NDArray[np.float32]] = []
    scale = np.sqrt(pixels.shape[2])
    areas, found = ndimage.label(even)
    for _, color in _medians(pixels, areas, found):
        if all(np.linalg.norm(color - known) > _SAME_EVEN * scale for known in palette):
            palette.append(color)
    wide = even & (np.bincount(areas.ravel()) >= _LEAST_PIXELS)[areas]
    crest = clear & ~ndimage.binary_dilation(wide, np.ones((7, 7)))
    for color in _crest_colors(pixels[crest].astype(np.float32), canvas, scale):
        if not any(_paler(color - canvas, known - canvas) for known in palette):
            palette.append(color)
    # Short strokes among long ones: what none of the colours explains.
    left = clear.copy()
    left[clear] = ~_explained(pixels[clear], canvas, palette)
    for _, color in _medians(pixels, *ndimage.label(left, np.ones((3, 3)))):
        if not any(_paler(color - canvas, known - canvas) for known in palette):
            palette.append(color)
    return np.array(palette, np.float32)


def _crest_colors(
    colors: NDArray[np.float32], canvas: NDArray[np.float32], scale: float
) -> list[NDArray[np.float32]]:
    """The colours of thin strokes, the most frequent first; paler copies of one are one."""
    found: list[NDArray[np.float32]] = []
    least = max(_LEAST_PIXELS, _LEAST_CREST * len(colors))
    for _ in range(8 * MOST_COLORS):
        if len(colors) < least:
            break
        bins = np.rint(colors / (2 * BIN)).astype(np.int32)
        packed = bins @ np.array([1, 17, 289], np.int32)[: colors.shape[1]]
        center = np.median(colors[packed == np.bincount(packed).argmax()], axis=0)
        near = np.linalg.norm(colors - center, axis=1) <= SAME_CREST * scale
        if near.sum() >= least:
            found.append(np.median(colors[near], axis=0))
        colors = colors[~near]
    full: list[NDArray[np.float32]] = []
    for color in sorted(found, key=lambda one: -float(np.linalg.norm(one - canvas))):
        if not any(_paler(color - canvas, known - canvas) for known in full):
            full.append(color)
    return full


def _explained(
    pixels: NDArray[np.uint8], canvas: NDArray[np.float32], palette: list[NDArray[np.float32]]
) -> NDArray[np.bool_]:
    """Which of (N, C) pixels are near to a colour of the palette."""
    found = np.zeros(len(pixels), bool)
    for color in palette:
        reach = float(np.linalg.norm(color - canvas))
        found |= ((pixels - color) ** 2).sum(-1) <= (CLOSE * reach) ** 2
    return found


def _medians(
    pixels: NDArray[np.uint8], parts: NDArray[np.int32], count: int
) -> list[tuple[int, NDArray[np.float32]]]:
    """(pixels, median colour) of the parts of some size, the largest first."""
    inside = parts > 0
    labels, flat = parts[inside], pixels[inside]
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=count + 1))
    found = []
    for i in range(1, count + 1):
        size = int(ends[i] - ends[i - 1])
        if size >= _LEAST_PIXELS:
            found.append((size, np.median(flat[order[ends[i] - size : ends[i]]], axis=0)))
    return sorted(found, key=lambda one: -one[0])


def _paler(one: NDArray[np.float32], full: NDArray[np.float32]) -> bool:
    """Whether a colour, from the canvas, is another one that a thin stroke did not quite reach.

    Resizing takes all channels back alike. JPEG halves the resolution of chroma, so that thin
    strokes keep their brightness and lose saturation.
    """
    if len(one) == 1:
        return _on_one_ray(one, full, _SAME_RAY, _PALER_GREY)
    if _on_one_ray(one, full, _SAME_RAY, _PALER):
        return True
    bright = float(_LUMA @ (one - full))
    return abs(bright) <= _SAME_LUMA and _on_one_ray(
        one - _LUMA @ one, full - _LUMA @ full, _SAME_HUE, _PALER_HUE
    )


def _on_one_ray(
    one: NDArray[np.float32], full: NDArray[np.float32], cosine: float, paler: float
) -> bool:
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(full))
    same = float(one @ full) >= cosine * lengths[0] * lengths[1]
    return same and paler * lengths[1] <= lengths[0] <= 1.25 * lengths[1]
