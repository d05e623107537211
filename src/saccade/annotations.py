"""Strokes from files of every kind, those of annotation tools included.

`saccade.scribbles` reads what is meant as strokes and `saccade.formats` what is meant as masks;
this is where a mask file of a tool is taken as strokes.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from saccade.files import check_readable
from saccade.formats.masks import iter_annotations, mask_format, read_mask
from saccade.scribbles.readers import read_strokes
from saccade.scribbles.strokes import UNLABELED_16, Strokes, strokes_from_array

_TOOLS = {"coco": "COCO", "label-studio": "Label Studio", "cvat": "CVAT"}


def read_any_strokes(
    path: str | os.PathLike[str],
    *,
    shape: tuple[int, int] | None = None,
    unlabeled: int | None = None,
    names: Sequence[str] | None = None,
) -> Strokes:
    """Read strokes as `saccade.scribbles.readers.read_strokes`, or a tool's file as strokes.

    In a file of COCO, Label Studio or CVAT every region is a stroke, and what none covers is
    unlabelled.

    Args:
        path: the file; it must annotate one image.
        shape: (H, W) of the image, checked if given.
        unlabeled: as in `read_strokes`.
        names: the class names, for files that name their classes.

    Raises:
        InputError: what `read_strokes` refuses.
    """
    path = check_readable(path)
    kind = _tool_of(path)
    if kind is None:
        return read_strokes(path, shape=shape, unlabeled=unlabeled, names=names)
    labels = read_mask(path, kind, uncovered=UNLABELED_16, shape=shape)
    strokes = strokes_from_array(
        labels,
        unlabeled=UNLABELED_16,
        shape=shape,
        source=str(path),
        kind=f"{_TOOLS[kind]} regions",
        meaning="what no region covers = unlabelled",
    )
    known = next(iter_annotations(path, shape=shape)).names
    found = {value: known[value] for value in strokes.classes if value in known}
    return Strokes(strokes.labels, strokes.unlabeled, found, strokes.assumption)


def _tool_of(path: Path) -> str | None:
    with open(path, "rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        return "cvat" if b"<annotations" in start else None
    if start.startswith((b"{", b"[")):
        kind = mask_format(path)
        return kind if kind in _TOOLS else None
    return None
