"""Pictures to look at: mask over photograph, strokes over photograph, uncertainty in colours."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.formats.labels import checked_labels, present_classes
from saccade.formats.palette import display_palette
from saccade.images import as_rgb

_PIXELS_PER_LINE = 700
"""A contour is one pixel wide for every so many pixels of the longer side."""

_OUTLINE = np.array([255, 255, 255], dtype=np.uint8)
_PALENESS = 0.7
_SLACK = 1e-5

# Eight equal steps of the colour map "magma" (S. van der Walt, N. Smith), CC0.
_MAGMA = np.array(
    [
        [0x00, 0x00, 0x04],
        [0x1D, 0x11, 0x47],
        [0x51, 0x12, 0x7C],
        [0x82, 0x26, 0x81],
        [0xB6, 0x36, 0x79],
        [0xE6, 0x51, 0x64],
        [0xFB, 0x88, 0x61],
        [0xFE, 0xC2, 0x87],
        [0xFC, 0xFD, 0xBF],
    ],
    dtype=np.float64,
)


def render_overlay(
    image: Any,
    labels: Any,
    *,
    strokes: Any = None,
    alpha: float = 0.45,
    unlabeled: int = 255,
    colors: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Draw a mask over its image: tinted regions, crisp contours, the strokes on top.

    Args:
        image: whatever `as_rgb` takes, (H, W, ...).
        labels: (H, W) class values. 0 stays untinted where there is at most one other class.
        strokes: (H, W) class values, `unlabeled` where there is no stroke.
        alpha: opacity of the tint, in [0, 1].
        unlabeled: the value that means "no stroke" in `strokes`.
        colors: (K, 3) uint8 RGB of the classes; by default colours that are told apart well.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: sizes that differ, too few colours, labels that are no label image, `alpha`
            out of range.
    """
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha: {alpha}, expected a value in [0, 1]")
    rgb = as_rgb(image)
    labels = checked_labels(labels)
    _check_size(labels, rgb, "labels")
    values = present_classes(labels)
    plain = values[0] == 0 and len(values) <= 2
    if colors is None:
        colors = display_palette(values[-1] + 1)
    elif len(colors) <= values[-1]:
        raise InputError(f"colors: {len(colors)} of them, labels go to {values[-1]}")
    opacity = np.full(len(colors), round(alpha * 256), dtype=np.uint16)
    opacity[0] *= not plain
    picture = _blend(rgb, colors[labels], opacity[labels])
    small = labels.astype(np.min_scalar_type(values[-1]))  # fewer bytes to compare
    line = _contour(small, _line_width(labels))
    picture[line] = _paled(colors)[labels[line]]
    if strokes is not None:
        _draw_strokes(picture, strokes, unlabeled)
    return picture


def stroke_preview(image: Any, strokes: Any, *, unlabeled: int = 255) -> NDArray[np.uint8]:
    """Draw strokes over their image, which is paled so that they stand out.

    Args:
        image: whatever `as_rgb` takes, (H, W, ...).
        strokes: (H, W) class values, `unlabeled` where there is no stroke.
        unlabeled: the value that means "no stroke".

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: sizes that differ, or strokes that are no label image.
    """
    rgb = as_rgb(image)
    grey = rgb.mean(axis=2, keepdims=True, dtype=np.float32)
    picture = np.asarray(np.rint(grey * 0.4 + rgb * np.float32(0.3) + 76.0), dtype=np.uint8)
    _draw_strokes(picture, strokes, unlabeled)
    return picture


def render_uncertainty(uncertainty: Any) -> NDArray[np.uint8]:
    """Return an uncertainty map, (H, W) floats in [0, 1], as (H, W, 3) uint8 in magma colours.

    Dark is certain, pale yellow uncertain; lightness rises evenly with the value.

    Raises:
        InputError: another number of axes, no pixels, NaN, values outside [0, 1].
    """
    values = np.asarray(uncertainty)
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "fuib":
        raise InputError(f"uncertainty: shape {values.shape}, expected (H, W) values in [0, 1]")
    low, high = float(values.min()), float(values.max())
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        raise InputError(f"uncertainty: values {low:.4g}..{high:.4g}, expected [0, 1]")
    steps = np.linspace(0, 1, 256)
    knots = np.linspace(0, 1, len(_MAGMA))
    table = np.stack([np.interp(steps, knots, _MAGMA[:, c]) for c in range(3)], axis=1)
    index = np.rint(values.clip(0, 1) * 255).astype(np.uint8)
    colors = np.asarray(np.rint(table), dtype=np.uint8)
    return np.asarray(colors[index])


def write_picture(path: str | os.PathLike[str], picture: Any) -> None:
    """Write a picture, whatever `as_rgb` takes, as PNG; an older file is replaced as a whole.

    Raises:
        InputError: no picture, or the folder of `path` does not exist.
    """
    image = Image.fromarray(as_rgb(picture))
    with atomic_write(path) as temporary:
        image.save(temporary, format="PNG", compress_level=3)  # half the time, 5 % larger


def _check_size(array: NDArray[Any], rgb: NDArray[np.uint8], what: str) -> None:
    if array.shape != rgb.shape[:2]:
        raise InputError(
            f"{what}: {array.shape[1]} x {array.shape[0]} pixels (width x height), the image "
            f"is {rgb.shape[1]} x {rgb.shape[0]}"
        )


def _line_width(labels: NDArray[Any]) -> int:
    return max(1, round(max(int(n) for n in labels.shape) / _PIXELS_PER_LINE))


def _blend(
    under: NDArray[np.uint8], over: NDArray[np.uint8], opacity: NDArray[np.uint16]
) -> NDArray[np.uint8]:
    """Mix (..., 3) colours by (...) opacities in 0..256; 16 bits keep large images small."""
    weight = opacity[..., None]
    mixed = under * (np.uint16(256) - weight) + over * weight + np.uint16(128)
    return np.asarray(mixed >> 8, dtype=np.uint8)


def _paled(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the colours nearer to white: a line must stand out from its own region's tint."""
    opacity = np.full(len(colors), round(_PALENESS * 256), dtype=np.uint16)
    return _blend(colors, np.full_like(colors, 255), opacity)


def _contour(labels: NDArray[Any], width: int) -> NDArray[np.bool_]:
    """Mark the pixels that have a lower class within `width` pixels along an axis.

    One side only, so that lines are thin; beside class 0 it is the side of the object.
    """
    marked = np.zeros(labels.shape, dtype=bool)
    for step in range(1, width + 1):
        marked[:, step:] |= labels[:, step:] > labels[:, :-step]
        marked[:, :-step] |= labels[:, :-step] > labels[:, step:]
        marked[step:] |= labels[step:] > labels[:-step]
        marked[:-step] |= labels[:-step] > labels[step:]
    return marked


def _draw_strokes(picture: NDArray[np.uint8], strokes: Any, unlabeled: int) -> None:
    strokes = checked_labels(strokes, "strokes")
    _check_size(strokes, picture, "strokes")
    drawn = strokes != unlabeled
    if not drawn.any():
        return
    colors = display_palette(int(strokes[drawn].max()) + 1)
    picture[_contour(~drawn, _line_width(strokes))] = _OUTLINE
    picture[drawn] = colors[strokes[drawn]]
