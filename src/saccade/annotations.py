"""Strokes from files of every kind, those of annotation tools included.

`saccade.scribbles` reads what is meant as strokes and `saccade.formats` what is meant as masks;
this is where a mask file of a tool is taken as strokes.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from saccade.errors import InputError
from saccade.files import check_readable, first_bytes
from saccade.formats.masks import mask_format, read_annotation
from saccade.images.sizes import image_size
from saccade.scribbles.readers import read_strokes
from saccade.scribbles.strokes import (
    UNLABELED_16,
    MaskLikeError,
    Strokes,
    TurnedError,
    strokes_from_array,
)

_TOOLS = {"coco": "COCO", "label-studio": "Label Studio", "cvat": "CVAT"}


def read_any_strokes(
    path: str | os.PathLike[str],
    *,
    shape: tuple[int, int] | None = None,
    unlabeled: int | None = None,
    names: Sequence[str] | None = None,
    image_name: str | None = None,
) -> Strokes:
    """Read the strokes of one image from a file of strokes or of an annotation tool.

    In a file of COCO, Label Studio or CVAT every region is a stroke, and what none covers is
    unlabelled.

    Args:
        path: the file; without `image_name` it must annotate one image.
        shape: (H, W) of the image, checked if given.
        unlabeled: the value in a label image or array that means "no stroke"; None: decided by
            the rule of `strokes_from_array`.
        names: class names in the order of their values, by which the labels of vector files and of
            annotation tools get their values; None: what such a file says itself.
        image_name: name or path of the image whose strokes are read, from a COCO, CVAT or Label
            Studio file for many images; files of other kinds are of one image.

    Raises:
        InputError: what `saccade.scribbles.readers.read_strokes` and
            `saccade.formats.masks.read_annotation` raise.
    """
    path = check_readable(path)
    kind = _tool_of(path)
    if kind is None:
        return read_strokes(path, shape=shape, unlabeled=unlabeled, names=names)
    uncovered = UNLABELED_16
    wanted: dict[str, Any] = {"shape": shape, "image_name": image_name, "names": names}
    image = read_annotation(path, kind, uncovered=uncovered, **wanted)
    if uncovered in image.names:  # a class of COCO may have any number
        uncovered = -1
        image = read_annotation(path, kind, uncovered=uncovered, **wanted)
    try:
        strokes = strokes_from_array(
            image.labels,
            unlabeled=uncovered,
            shape=shape,
            source=str(path),
            kind=f"{_TOOLS[kind]} regions",
            meaning="what no region covers = unlabelled",
        )
    except InputError as error:
        raise _with_remarks(error, image.remarks) from error
    names_drawn = {v: image.names[v] for v in strokes.classes if v in image.names}
    return replace(strokes, names=names_drawn, remarks=(*image.remarks, *strokes.remarks))


def explain_turned(error: TurnedError, image: Path) -> InputError:
    """The error of strokes that lie on their side, with EXIF named where it turns the image.

    >>> explain_turned(TurnedError("a.png: they lie on their side"), Path("photo.png"))
    InputError('a.png: they lie on their side')
    """
    try:
        turned = image_size(image) != image_size(image, upright=False)
    except InputError:  # of a kind without such a header
        turned = False
    hint = "; the image is turned by EXIF, were they drawn on the unturned one?" if turned else ""
    return InputError(f"{error}{hint}")


def _with_remarks(error: InputError, remarks: tuple[str, ...]) -> InputError:
    """An error with what was left out, which may be why there are too few strokes."""
    message = "; ".join([str(error), *remarks])
    if isinstance(error, MaskLikeError):
        return MaskLikeError(message, error.reason)
    return InputError(message)


def _tool_of(path: Path) -> str | None:
    start = first_bytes(path, 4096)
    if start.startswith(b"<"):
        return "cvat" if b"<annotations" in start else None
    if start.startswith((b"{", b"[")):
        kind = mask_format(path)
        return kind if kind in _TOOLS else None
    return None
