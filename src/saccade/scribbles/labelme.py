"""Strokes of labelme JSON: line strips and lines, dots, and small filled regions.

The values and names of classes are those of the key "saccade_classes" where a file has it, the
width of a line that of its shape's key "width"; both are what Saccade itself writes.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from saccade.data.labelme import (
    CLASSES_KEY,
    COLORS_KEY,
    LabelmeShape,
    decode_mask_shape,
    labelme_shape,
    shape_kind,
)
from saccade.data.shapes import OddShapeError, ShapeRecord, WorkBudget, check_size, positions_of
from saccade.errors import InputError
from saccade.files import one_line, read_json, reading
from saccade.images import MAX_PIXELS
from saccade.scribbles.document import (
    COLOR,
    DIGEST_KEY,
    MOST_WIDTH,
    WIDTH_KEY,
    Line,
    Patch,
    StrokeClass,
    StrokeDocument,
    pixel_width,
)
from saccade.scribbles.drawing import (
    PixelStroke,
    VectorStroke,
    count_covered,
    count_moved,
    draw_strokes,
    region_mask,
)
from saccade.scribbles.strokes import (
    Strokes,
    check_classes,
    check_shape,
    free_unlabeled,
    short_name,
)

BACKGROUND_LABELS = ("background", "_background_", "__background__")
"""labelme's names for class 0."""

_MASK_WORK = 6  # what a pixel of a mask costs, decoded and drawn


def read_labelme(
    path: Path,
    *,
    shape: tuple[int, int] | None = None,
    names: Sequence[str] | None = None,
    width: int = 10,
) -> Strokes:
    """Read the shapes of one labelme JSON file as strokes; later shapes are on top.

    Lines, line strips and points are drawn `width` pixels wide where they have no "width" of
    their own; polygons, rectangles and circles are filled, masks taken as they are. The value of
    a label is its position in `names`; without them what "saccade_classes" says, or its place
    among the file's labels, "background" first, then in alphabetical order.

    Args:
        path: the JSON file.
        shape: (H, W) of the image; checked against imageHeight and imageWidth, needed where
            the file lacks them.
        names: class names in the order of their values.
        width: width of lines and dots in pixels.

    Raises:
        InputError: malformed JSON, another JSON format, a label that is not in `names`, a wrong or
            missing size, no shape that can be drawn. Single shapes that
            cannot be drawn are skipped and counted in the remarks.
    """
    document = _parse(path)
    shape = _size(document, path, shape)
    record, budget = ShapeRecord(), WorkBudget(path)
    shapes = _checked_shapes(document, record)
    given = positions_of(names, {item.label for item in shapes}, path)
    table = _values(document, shapes, path) if given is None else given
    drawn: list[VectorStroke | PixelStroke] = []
    for item in shapes:
        try:
            drawn += _strokes(item, table[item.label], shape, budget)
        except OddShapeError as error:
            record.skip(item.kind, error)
    if record.skipped and not drawn:
        record.refuse(path)
    count_moved(drawn, shape, record)
    filled = sum(
        stroke.shape == "rectangle" for stroke in drawn if isinstance(stroke, VectorStroke)
    )
    record.count("1 rectangle was filled", "{n} rectangles were filled", filled)
    classes = sorted({stroke.label for stroke in drawn})
    check_classes(classes, str(path), "; ".join(record.remarks))
    unlabeled = free_unlabeled(classes)
    values = draw_strokes(drawn, shape, width=width, unlabeled=unlabeled, budget=budget)
    count_covered(values, table, classes, record)
    found = {value: name for name, value in table.items() if value in classes}
    listed = ", ".join(f"{c} = {found[c]}" for c in classes)
    own = any(isinstance(s, VectorStroke) and s.width for s in drawn)
    lines = "lines as wide as drawn" if own else f"{width} px lines"
    line = f"{short_name(str(path))}: labelme JSON, {lines}, classes {listed}"
    return Strokes(values, unlabeled, found, line, record.remarks)


def read_document(
    path: Path,
    shape: tuple[int, int],
    *,
    width: int = 10,
    most_pixels: int = MAX_PIXELS,
    skip_odd: bool = False,
) -> StrokeDocument:
    """Read a labelme JSON file as strokes that can go on being changed.

    Line strips, lines and points become a `Line`, everything else a `Patch`. Classes are as in
    `read_labelme`; there may be one, or none.

    Args:
        path: the JSON file.
        shape: (H, W) of the image, checked.
        width: of lines that have no "width" of their own.
        most_pixels: bound of what all patches may cover together.
        skip_odd: leave out shapes that cannot be drawn; not for a file that will be replaced by
            what was read.

    Raises:
        InputError: as `read_labelme`, or, without `skip_odd`, a shape that cannot be drawn.
    """
    with reading(path, "strokes that cannot be read"):
        return _document(_parse(path), path, shape, width, most_pixels, skip_odd)


def drawn_on(path: str | os.PathLike[str]) -> tuple[tuple[int, int] | None, str]:
    """Return (H, W) of the image that the strokes of a stroke file were drawn on, and its digest.

    None and "" where the file does not say it.

    Raises:
        InputError: no labelme file.
    """
    document = _parse(Path(path))
    height, width = document.get("imageHeight"), document.get("imageWidth")
    size = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    digest = document.get(DIGEST_KEY)
    return size, digest if isinstance(digest, str) else ""


def _document(
    document: dict[str, Any],
    path: Path,
    shape: tuple[int, int],
    width: int,
    most_pixels: int,
    skip_odd: bool,
) -> StrokeDocument:
    _size(document, path, shape)
    record, budget = ShapeRecord(), WorkBudget(path)
    shapes = _checked_shapes(document, record)
    table = _values(document, shapes, path)
    colors = document.get(COLORS_KEY)
    colors = colors if isinstance(colors, dict) else {}
    items: list[Line | Patch] = []
    for item in shapes:
        try:
            strokes = _strokes(item, table[item.label], shape, budget)
        except OddShapeError as error:
            record.skip(item.kind, error)
            continue
        for stroke in strokes:
            made = _item(stroke, f"s{len(items) + 1}", shape, width, budget)
            if made is not None:
                items.append(made)
                most_pixels -= made.mask.size if isinstance(made, Patch) else 0
        if most_pixels < 0:
            raise InputError(f"{path}: its regions cover too many pixels, expected strokes")
    if record.skipped and not skip_odd:
        raise InputError(f"{path}: {record.remarks[0]}; it would be lost")
    ordered = sorted(table.items(), key=lambda entry: entry[1])
    classes = (StrokeClass(v, name, _color(colors.get(str(v)))) for name, v in ordered)
    return StrokeDocument(tuple(classes), tuple(items))


def _item(
    stroke: VectorStroke | PixelStroke,
    name: str,
    shape: tuple[int, int],
    width: int,
    budget: WorkBudget,
) -> Line | Patch | None:
    if isinstance(stroke, PixelStroke):
        return Patch(name, stroke.label, stroke.x, stroke.y, stroke.mask)
    if stroke.shape == "line":
        return Line(name, stroke.label, float(stroke.width or width), stroke.points)
    y, x, mask = region_mask(stroke, shape, budget)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):  # outside of the image
        return None
    top, left = int(rows[0]), int(columns[0])
    box = mask[top : rows[-1] + 1, left : columns[-1] + 1].copy()
    return Patch(name, stroke.label, x + left, y + top, box)


def _color(text: Any) -> str | None:
    return text.lower() if isinstance(text, str) and COLOR.fullmatch(text) else None


def _values(document: dict[str, Any], shapes: list[LabelmeShape], path: Path) -> dict[str, int]:
    """Label -> class value: what the file says, else by the order of the labels."""
    labels = {item.label for item in shapes}
    table: dict[str, int] = {}
    try:
        for value, name in document.get(CLASSES_KEY) or ():
            table[str(name)] = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{path}: '{CLASSES_KEY}' is not a list of [value, name] ({one_line(error)})"
        ) from error
    if len(set(table.values())) < len(table) or not all(0 <= v < 65535 for v in table.values()):
        raise InputError(f"{path}: '{CLASSES_KEY}' has a value twice or outside 0..65534")
    if not table:
        return {label: value for value, label in enumerate(_default_order(labels))}
    for label in _default_order(labels - set(table)):  # added in labelme after it was written
        table[label] = max(table.values()) + 1
    return table


def _default_order(labels: set[str]) -> list[str]:
    return sorted(labels, key=lambda label: (label.lower() not in BACKGROUND_LABELS, label))


def _parse(path: Path) -> dict[str, Any]:
    document = read_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("shapes"), list):
        raise InputError(f"{path}: JSON without a list 'shapes', expected a labelme file")
    return document


def _size(document: dict[str, Any], path: Path, shape: tuple[int, int] | None) -> tuple[int, int]:
    height, width = document.get("imageHeight"), document.get("imageWidth")
    if height is None or width is None:
        if shape is None:
            raise InputError(
                f"{path}: has no imageHeight and imageWidth, so the image size must be given"
            )
        return shape
    if not isinstance(height, int) or not isinstance(width, int):
        raise InputError(f"{path}: image size {width} x {height}, expected two integers")
    check_shape((height, width), shape, str(path))
    check_size(path, height, width, shape)
    return height, width


def _checked_shapes(document: dict[str, Any], record: ShapeRecord) -> list[LabelmeShape]:
    shapes = []
    for item in document["shapes"]:
        try:
            shapes.append(labelme_shape(item))
        except OddShapeError as error:
            record.skip(shape_kind(item), error)
    return shapes


def _strokes(
    item: LabelmeShape, value: int, shape: tuple[int, int], budget: WorkBudget
) -> list[VectorStroke | PixelStroke]:
    if item.form == "mask":
        (x0, y0), (x1, y1) = item.points
        budget.spend(_MASK_WORK * abs((x1 - x0 + 1) * (y1 - y0 + 1)))
        y, x, mask = decode_mask_shape(item.item, shape)
        return [PixelStroke(value, x, y, mask)]
    width = _width(item) if item.form in ("line", "dots") else None
    if item.form == "dots":
        return [VectorStroke(value, (point,), width=width) for point in item.points]
    return [VectorStroke(value, item.points, item.form, width)]


def _width(item: LabelmeShape) -> int | None:
    width = item.item.get(WIDTH_KEY)
    if width is None:
        return None
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0 < width <= MOST_WIDTH:
        raise OddShapeError(
            f"'{item.label}' is {str(width)[:30]} wide, expected pixels above 0 "
            f"and up to {MOST_WIDTH}"
        )
    return pixel_width(width)
