"""Strokes in image files: class values in palette and grey images, colours in RGB(A) ones.

In an RGBA overlay fully transparent pixels are unlabelled and every colour of the fully opaque
ones is a class. Pixels of partial alpha, the soft edges of a brush, are left unlabelled: what
they cover is mostly not what was meant.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.images import converted, decode_image, exif_orientation, oriented
from saccade.scribbles.colors import strokes_from_colors
from saccade.scribbles.strokes import (
    UNLABELED,
    UNLABELED_16,
    Strokes,
    check_shape,
    strokes_from_array,
    value_counts,
)

_MOST_GREY_CLASSES = 128


def read_image_strokes(
    path: Path,
    *,
    shape: tuple[int, int] | None = None,
    unlabeled: int | None = None,
    names: Sequence[str] | None = None,
) -> Strokes:
    """Read strokes from an image file; see `saccade.scribbles.readers.read_strokes`.

    Raises:
        InputError: lossy JPEG, a photograph, or any reason of `strokes_from_array`.
    """
    image = decode_image(path, shape=shape)
    if image.format in ("JPEG", "MPO"):
        raise InputError(f"{path}: JPEG changes label values; save the strokes as PNG")
    orientation = exif_orientation(image)
    if image.mode in ("P", "L", "1") or image.mode.startswith("I") or image.mode == "F":
        values, unlabeled, meaning = _label_values(path, image, unlabeled)
        word = {"P": "palette", "1": "black and white"}.get(image.mode, "grey")
        return strokes_from_array(
            oriented(values, orientation),
            unlabeled=unlabeled,
            shape=shape,
            names=names,
            source=str(path),
            kind=f"{word} {image.format}",
            meaning=meaning,
        )
    if image.mode not in ("RGB", "RGBA", "RGBX", "LA", "PA"):
        raise InputError(f"{path}: a {image.mode} image; save the strokes as palette or RGBA PNG")
    rgba = oriented(np.asarray(converted(path, image, "RGBA")), orientation)
    check_shape(rgba.shape[:2], shape, str(path))
    return strokes_from_colors(rgba, unlabeled=unlabeled, names=names, source=str(path))


def _label_values(
    path: Path, image: Image.Image, unlabeled: int | None
) -> tuple[NDArray[Any], int | None, str | None]:
    values = np.asarray(image)
    if unlabeled is not None:
        return values, unlabeled, None
    counts = value_counts(values) if values.dtype.kind != "f" else {}
    transparent = _transparent_values(image) & counts.keys()
    if transparent and UNLABELED not in counts:
        listed = ", ".join(str(v) for v in sorted(transparent))
        hidden = np.isin(values, list(transparent))
        values = np.where(hidden, UNLABELED_16, values.astype(np.int32))
        return values, UNLABELED_16, f"transparent {listed} = unlabelled"
    if image.mode == "L" and len(counts) > _MOST_GREY_CLASSES:
        raise InputError(
            f"{path}: {len(counts)} grey values, which looks like a photograph; "
            "expected one value per class (or say --unlabeled)"
        )
    return values, None, None


def _transparent_values(image: Image.Image) -> set[int]:
    info = image.info.get("transparency")
    if isinstance(info, bytes):
        return {value for value, alpha in enumerate(info) if alpha == 0}
    return {info} if isinstance(info, int) else set()
