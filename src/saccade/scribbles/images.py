"""Strokes in image files: class values in palette and grey images, colours in RGB(A) ones.

In an RGBA overlay fully transparent pixels are unlabelled and every colour of the fully opaque
ones is a class. Pixels of partial alpha, the soft edges of a brush, are left unlabelled: what
they cover is mostly not what was meant.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images import LabelImage, read_label_image
from saccade.scribbles.colors import strokes_from_colors
from saccade.scribbles.soft_edges import edge_shades, without_shades
from saccade.scribbles.strokes import (
    UNLABELED,
    UNLABELED_16,
    Strokes,
    check_shape,
    strokes_from_array,
    value_counts,
)

_MOST_GREY_CLASSES = 128
_MOST_LOSSY_PIXELS = 12_000_000
_LEAST_SOFT = 6  # colours: two strokes, their canvas, and as many shades
_LOSSY, _MAYBE_LOSSY = ("JPEG", "MPO"), ("WEBP", "AVIF", "JPEG2000")
_LOOKED_AT = 500_000  # pixels
_FEW_COLORS, _MANY_COLORS = 20, 64


def read_image_strokes(
    path: Path,
    *,
    shape: tuple[int, int] | None = None,
    unlabeled: int | None = None,
    names: Sequence[str] | None = None,
) -> Strokes:
    """Read strokes from an image file; see `saccade.scribbles.readers.read_strokes`.

    Raises:
        InputError: a photograph, or any reason of `strokes_from_array`.
    """
    image = read_label_image(path, shape)
    if _is_lossy(image):
        image = _without_compression(path, image)
    if image.rgba is not None:
        check_shape(image.rgba.shape[:2], shape, str(path))
        strokes = strokes_from_colors(
            image.rgba, unlabeled=unlabeled, names=names, source=str(path)
        )
        return replace(strokes, remarks=image.remarks + strokes.remarks)
    colors = _soft_palette(image) if unlabeled is None else None
    if colors is not None:
        check_shape(colors.shape[:2], shape, str(path))
        strokes = strokes_from_colors(colors, names=names, source=str(path))
        remark = "a palette of shades: its colours were taken as classes, not its indices"
        return replace(strokes, remarks=(*image.remarks, remark, *strokes.remarks))
    remarks = image.remarks
    if image.kind == "grey" and image.values is not None:
        clean, soft = without_shades(image.values)
        image, remarks = replace(image, values=clean), remarks + soft
    values, unlabeled, meaning = _label_values(path, image, unlabeled)
    strokes = strokes_from_array(
        values,
        unlabeled=unlabeled,
        shape=shape,
        names=names,
        source=str(path),
        kind=f"{image.kind} {image.format}",
        meaning=meaning,
    )
    return replace(strokes, remarks=remarks + strokes.remarks)


def _is_lossy(image: LabelImage) -> bool:
    """Whether compression has changed the colours: always in a JPEG, also where it is now a PNG."""
    if image.format in _LOSSY:
        return True
    if image.rgba is not None:
        if image.rgba[..., 3].min(initial=255) < 255:
            return False
        pixels = image.rgba[..., :3]
    elif image.kind == "grey" and image.values is not None and image.values.dtype == np.uint8:
        pixels = image.values[..., None]
    else:
        return False
    step = 1 + int((pixels[..., 0].size / _LOOKED_AT) ** 0.5)
    few = pixels[::step, ::step].reshape(-1, pixels.shape[2])
    colors = len(np.unique(few @ np.array([1, 256, 65536])[: few.shape[1]]))
    if colors <= _FEW_COLORS:
        return False
    from saccade.scribbles.drawn_colors import looks_compressed  # SciPy is slow to import

    maybe = image.format in _MAYBE_LOSSY and colors > _MANY_COLORS
    return maybe or looks_compressed(pixels)


def _without_compression(path: Path, image: LabelImage) -> LabelImage:
    """The image with the few colours that were drawn, in place of those that JPEG made of them."""
    pixels = image.rgba[..., :3] if image.rgba is not None else np.asarray(image.values)[..., None]
    height, width = pixels.shape[:2]
    if height * width > _MOST_LOSSY_PIXELS:
        raise InputError(
            f"{path}: compression changed colours, and {width} x {height} pixels are too many to "
            f"tell what was drawn (at most {_MOST_LOSSY_PIXELS:,}); save the strokes as PNG"
        )
    from saccade.scribbles.drawn_colors import find_drawn_colors  # SciPy is slow to import

    drawn = find_drawn_colors(pixels.astype(np.uint8))
    if drawn is None:
        raise InputError(
            f"{path}: looks like a photograph or a compressed image, not like strokes on an even "
            "canvas; save the strokes as PNG"
        )
    clean = drawn.colors[drawn.index]
    remark = (
        f"compression changed colours: the nearest of {len(drawn.colors) - 1} clear ones were "
        f"taken, {drawn.unclear} unclear pixels are left unlabelled; PNG keeps strokes as they are"
    )
    image = replace(image, remarks=(*image.remarks, remark))
    if image.rgba is None:
        return replace(image, values=clean[..., 0])
    return replace(image, rgba=np.dstack([clean, np.full_like(clean[..., 0], 255)]))


def _soft_palette(image: LabelImage) -> NDArray[np.uint8] | None:
    """The colours (H, W, 4) of a palette image most of whose colours are shades of soft edges."""
    if image.palette is None or image.values is None or image.transparent:
        return None
    values = np.asarray(image.values)
    counts = np.bincount(values.ravel())
    used = np.flatnonzero(counts)
    if len(used) < _LEAST_SOFT or len(used) > len(image.palette):
        return None
    place = np.zeros(len(counts), np.int32)
    place[used] = np.arange(len(used))
    pixels, index = image.palette[values], place[values]
    stands = edge_shades(pixels, index, image.palette[used], counts[used])
    if 2 * (stands != np.arange(len(used))).sum() < len(used):
        return None
    return np.dstack([pixels, np.full(values.shape, 255, np.uint8)])


def _label_values(
    path: Path, image: LabelImage, unlabeled: int | None
) -> tuple[NDArray[Any], int | None, str | None]:
    values = np.asarray(image.values)
    if unlabeled is not None:
        return values, unlabeled, None
    counts = value_counts(values)
    transparent = image.transparent & counts.keys()
    if transparent and UNLABELED not in counts:
        listed = ", ".join(str(v) for v in sorted(transparent))
        hidden = np.isin(values, list(transparent))
        values = np.where(hidden, UNLABELED_16, values.astype(np.int32))
        return values, UNLABELED_16, f"transparent {listed} = unlabelled"
    if image.kind == "grey" and values.dtype == np.uint8 and len(counts) > _MOST_GREY_CLASSES:
        raise InputError(
            f"{path}: {len(counts)} grey values, which looks like a photograph; "
            "expected one value per class (or say --unlabeled)"
        )
    return values, None, None
