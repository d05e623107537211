"""Strokes of a client: checked, and what a session may have whoever it has them from.

What `check_document` lets through can be sent, kept, sent back and drawn; strokes that are imported
and strokes that are sent pass the same check.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.data.labelme import decode_png
from saccade.errors import InputError
from saccade.scribbles.document import (
    Line,
    Patch,
    Pin,
    StrokeClass,
    StrokeDocument,
    document_from_strokes,
    document_work,
)
from saccade.scribbles.pins import with_pins_between
from saccade.scribbles.strokes import Strokes
from saccade.serve.pin_file import item_model
from saccade.serve.schemas import ClassModel, DocumentModel, LineModel, PatchModel
from saccade.serve.settings import Limits
from saccade.serve.stroke_file import complete_classes

_LARGEST_CLASS = 254


def to_document(model: DocumentModel, shape: tuple[int, int], limits: Limits) -> StrokeDocument:
    """Check what a client sent and return it as strokes over an image of (H, W) `shape`.

    Raises:
        InputError: a value or name twice, an unknown class, a patch that is no PNG or lies outside
            of the image, and what `check_document` raises.
    """
    points = sum(len(i.points) for i in model.items if isinstance(i, LineModel))
    _check_counts(len(model.items), points, limits)
    check_classes(model.classes)
    classes = tuple(StrokeClass(c.value, c.name, c.color) for c in model.classes)
    values = {c.value for c in classes}
    items: list[Line | Patch] = []
    pins: list[Pin] = []
    room = limits.values
    for item in model.items:
        if item.value not in values:
            raise InputError(f"stroke '{item.id}' has class {item.value}, which is not listed")
        made: Line | Patch
        if isinstance(item, LineModel):
            made = Line(item.id, item.value, item.width, tuple(item.points))
        else:
            made = _patch(item, shape, room, limits)
            room -= made.mask.size
        if item.pinned:
            pins.append(Pin(made, len(items)))
        else:
            items.append(made)
    document = StrokeDocument(classes, tuple(items), tuple(pins))
    check_document(document, shape, limits)
    return document


def check_classes(classes: Sequence[ClassModel]) -> None:
    """Raise InputError where a value or a name stands there twice."""
    values, names = {c.value for c in classes}, {c.name for c in classes}
    if min(len(values), len(names)) < len(classes):
        raise InputError("classes: a value or a name stands there twice")


def from_document(document: StrokeDocument) -> DocumentModel:
    """Strokes as JSON; what `to_document` would give back."""
    items = [item_model(item, pinned) for item, pinned in with_pins_between(document)]
    classes = [ClassModel(value=c.value, name=c.name, color=c.color) for c in document.classes]
    return DocumentModel(classes=classes, items=items)


def same_strokes(a: StrokeDocument, b: StrokeDocument) -> bool:
    """Whether masks of two documents are the same: all but names and colors of classes."""
    mine, theirs = with_pins_between(a), with_pins_between(b)
    return (
        {c.value for c in a.classes} == {c.value for c in b.classes}
        and len(mine) == len(theirs)
        and all(x[1] == y[1] and _same(x[0], y[0]) for x, y in zip(mine, theirs, strict=True))
    )


def _same(a: Line | Patch, b: Line | Patch) -> bool:
    if isinstance(a, Patch) and isinstance(b, Patch):
        return (a.value, a.x, a.y) == (b.value, b.x, b.y) and np.array_equal(a.mask, b.mask)
    return isinstance(a, Line) and a == b


def with_imported(
    document: StrokeDocument, strokes: Strokes, prefix: str, limits: Limits
) -> StrokeDocument:
    """A document and strokes of a file after it, which a client may send back.

    Raises:
        InputError: a class beyond 254, and what `check_document` raises.
    """
    if max(strokes.classes) > _LARGEST_CLASS:
        raise InputError(
            f"class {max(strokes.classes)}, expected at most {_LARGEST_CLASS} on the page; number "
            "the classes 0, 1, 2, ..., or give the file to saccade segment"
        )
    shape = strokes.labels.shape[0], strokes.labels.shape[1]
    _check_boxes([*_patches(document), *_boxes(strokes)], limits)
    added = document_from_strokes(strokes, known=document.classes, prefix=prefix)
    items = (*document.items, *added.items)
    both = complete_classes(StrokeDocument(added.classes, items, document.pins))
    check_document(both, shape, limits)
    return both


def check_document(document: StrokeDocument, shape: tuple[int, int], limits: Limits) -> None:
    """Check strokes over an image of (H, W) `shape`.

    Raises:
        InputError: more strokes, points or pixels than `limits` allow, or lines that take long to
            draw.
    """
    items = [item for item, _ in with_pins_between(document)]
    points = sum(len(i.points) for i in items if isinstance(i, Line))
    _check_counts(len(items), points, limits)
    patches = _patches(document)
    _check_boxes(patches, limits)
    pixels = sum(int(np.count_nonzero(mask)) for mask in patches)
    if pixels > limits.pixels:
        raise InputError(
            f"strokes: their patches set {pixels} pixels, expected at most {limits.pixels}"
        )
    lines = StrokeDocument((), tuple(i for i in items if isinstance(i, Line)))
    work = document_work(lines, shape)
    if work > limits.drawing:
        raise InputError(
            f"strokes: {work:.1e} pixels would be painted (points times width squared), expected "
            f"at most {limits.drawing:.1e}; draw with fewer points or a smaller brush"
        )


def _check_counts(items: int, points: int, limits: Limits) -> None:
    if items > limits.items or points > limits.points:
        raise InputError(
            f"strokes: {items} with {points} points, expected at most {limits.items} "
            f"with {limits.points}"
        )


def _patches(document: StrokeDocument) -> list[NDArray[np.bool_]]:
    return [item.mask for item, _ in with_pins_between(document) if isinstance(item, Patch)]


def _boxes(strokes: Strokes) -> list[NDArray[np.int32]]:
    """What is in the box of each class; found in one pass, nothing is copied."""
    values = strokes.labels + 1
    values[strokes.labels == strokes.unlabeled] = 0
    found = ndimage.find_objects(values, max_label=_LARGEST_CLASS + 1)
    return [strokes.labels[box] for box in found if box is not None]


def _check_boxes(boxes: Sequence[NDArray[np.generic]], limits: Limits) -> None:
    area = sum(box.size for box in boxes)
    if area > limits.values:
        raise _too_large(area, limits)


def _too_large(area: int, limits: Limits) -> InputError:
    return InputError(
        f"strokes: their patches decode to {area} pixels, expected at most {limits.values}; "
        "smaller patches or fewer classes take less"
    )


def _patch(item: PatchModel, shape: tuple[int, int], room: int, limits: Limits) -> Patch:
    """A patch whose size is known from its decoder, before it decodes anything."""

    def check(height: int, width: int) -> None:
        if item.y + height > shape[0] or item.x + width > shape[1]:
            raise InputError(f"patch '{item.id}' lies outside of the image")
        if height * width > room:
            raise _too_large(limits.values - room + height * width, limits)

    try:
        mask = decode_png(item.png, colors=True, check=check)
    except InputError as error:
        if f"'{item.id}'" in error.full or "strokes:" in error.full:
            raise
        raise InputError(f"patch '{item.id}': {error}") from error
    if not mask.any():
        raise InputError(f"patch '{item.id}' has no pixel set")
    return Patch(item.id, item.value, item.x, item.y, np.ascontiguousarray(mask))
