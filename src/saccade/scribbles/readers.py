"""One way in for strokes of every format: told apart by content first, then by suffix."""

import os
from collections.abc import Sequence
from pathlib import Path

from saccade.files import check_readable, first_bytes, reading
from saccade.images import check_pixels
from saccade.images.arrays import read_npy
from saccade.scribbles.images import read_image_strokes
from saccade.scribbles.labelme import read_labelme
from saccade.scribbles.scribblesup import read_scribblesup
from saccade.scribbles.strokes import UNLABELED, Strokes, strokes_from_array

__all__ = ["UNLABELED", "Strokes", "read_strokes", "strokes_from_array"]

_IMAGE_STARTS = (b"\x89PNG", b"II", b"MM", b"BM", b"GIF8", b"RIFF", b"\xff\xd8")


def read_strokes(
    path: str | os.PathLike[str],
    *,
    shape: tuple[int, int] | None = None,
    unlabeled: int | None = None,
    names: Sequence[str] | None = None,
    width: int | None = None,
) -> Strokes:
    """Read the strokes of one image.

    Args:
        path: palette or grey PNG/TIFF/BMP with class values, RGBA overlay or RGB image with
            one colour per class, ScribbleSup XML, labelme JSON, or a 2-D .npy array.
        shape: (H, W) of the image the strokes belong to, checked if given. Vector files that
            do not say their size need it.
        unlabeled: the value in a label image or array that means "no stroke"; None: decided
            by the rule of `strokes_from_array`. Vector files and overlays have no such value.
        names: class names in the order of their values. For vector files they say which tag
            has which value.
        width: width in pixels of the strokes of vector files; None: 3 for ScribbleSup, 10 for
            labelme, as is usual there.

    Raises:
        InputError: the file cannot be read or understood, does not fit the image, or has no
            stroke.
    """
    path = check_readable(path)
    kind = _format_of(path)
    with reading(path, "strokes that cannot be read"):
        if kind == "xml":
            return read_scribblesup(path, shape=shape, names=names, width=width or 3)
        if kind == "json":
            return read_labelme(path, shape=shape, names=names, width=width or 10)
        if kind == "npy":
            return _read_npy(path, shape, unlabeled, names)
        return read_image_strokes(path, shape=shape, unlabeled=unlabeled, names=names)


def _format_of(path: Path) -> str:
    start = first_bytes(path)
    if start.startswith(b"\x93NUMPY"):
        return "npy"
    if start.startswith(b"<"):
        return "xml"
    if start.startswith((b"{", b"[")):
        return "json"
    if start.startswith(_IMAGE_STARTS):
        return "image"
    suffix = path.suffix.lower().lstrip(".")
    return suffix if suffix in ("xml", "json", "npy") else "image"


def _read_npy(
    path: Path,
    shape: tuple[int, int] | None,
    unlabeled: int | None,
    names: Sequence[str] | None,
) -> Strokes:
    array = read_npy(path)
    if array.ndim >= 2:
        check_pixels(path, array.shape[0], array.shape[1])
    return strokes_from_array(
        array, unlabeled=unlabeled, shape=shape, names=names, source=str(path), kind="array"
    )
