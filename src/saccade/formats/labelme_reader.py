"""labelme JSON read as a mask: what its shapes cover, later ones on top.

Polygons, rectangles and circles are filled, masks taken as they are; lines and points are drawn as
wide as their key "width" says, or 10 pixels. labelme's (0, 0) is the centre of the first pixel.
"""

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from saccade.data.labelme import (
    CLASSES_KEY,
    LabelmeShape,
    decode_mask_shape,
    labelme_shape,
    shape_kind,
)
from saccade.data.shapes import (
    OddShapeError,
    ShapeRecord,
    WorkBudget,
    check_size,
    positions_of,
)
from saccade.errors import InputError
from saccade.files import last_part, one_line, read_json
from saccade.formats.canvas import LINE_WIDTH, Canvas
from saccade.formats.geometry import checked_number, checked_points
from saccade.formats.labels import AnnotatedImage, saved_values, values_of_names

_DECODING = 6  # what a pixel of a mask costs before it is painted
_WIDTH_KEY = "width"  # as Saccade writes it


def read_labelme_masks(
    path: str | os.PathLike[str],
    *,
    uncovered: int = 0,
    shape: tuple[int, int] | None = None,
    names: Sequence[str] | None = None,
) -> AnnotatedImage:
    """Read the image of a labelme JSON file.

    Args:
        path: path of the file.
        uncovered: value of pixels that no shape covers.
        shape: (H, W) that the image must have; checked before anything is decoded.
        names: class names in the order of their values; None: those of "saccade_classes", else
            labels are numbered 1, 2, ... in alphabetical order, and "background" or
            "_background_" is 0.

    Raises:
        InputError: malformed JSON, another JSON format, another size than `shape`, a label that
            is not among `names`, no shape that can be drawn.
    """
    path = Path(path)
    document = read_json(path)
    record = ShapeRecord()
    try:
        given = list(document["shapes"])
        height, width = _size(document, shape)
        shapes = _checked_shapes(given, record)
        values = positions_of(names, {item.label for item in shapes}, path)
        if values is None:
            values = _values(document, {item.label for item in shapes})
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(f"{path}: not a labelme file ({one_line(error)})") from error
    check_size(path, height, width, shape)
    canvas = Canvas((height, width), uncovered, record, WorkBudget(path))
    for item in shapes:
        try:
            _draw(canvas, item, values[item.label])
        except OddShapeError as error:
            record.skip(item.kind, error)
    labels = canvas.finished(path, values, alone=True)
    name = last_part(str(document.get("imagePath") or ""))
    known = {value: label for label, value in values.items()}
    return AnnotatedImage(name, labels, known, record.remarks)


def _size(document: dict[str, Any], shape: tuple[int, int] | None) -> tuple[int, int]:
    if shape is not None and document.get("imageHeight", document.get("imageWidth")) is None:
        return shape
    return int(document["imageHeight"]), int(document["imageWidth"])


def _checked_shapes(given: list[Any], record: ShapeRecord) -> list[LabelmeShape]:
    shapes = []
    for item in given:
        try:
            shapes.append(labelme_shape(item))
        except OddShapeError as error:
            record.skip(shape_kind(item), error)
    return shapes


def _values(document: dict[str, Any], labels: Iterable[str]) -> dict[str, int]:
    if CLASSES_KEY not in document:
        return values_of_names(labels)
    values = saved_values(document[CLASSES_KEY])
    missing = sorted(set(labels) - set(values))
    if missing:  # added in labelme after the file was written
        raise ValueError(f"label '{missing[0]}' is not in {CLASSES_KEY}")
    return values


def _draw(canvas: Canvas, item: LabelmeShape, value: int) -> None:
    if item.form == "mask":
        _draw_mask(canvas, item, value)
        return
    points = checked_points(item.points, 1) + 0.5
    if item.form == "polygon":
        canvas.polygons(value, [points])
    elif item.form == "rectangle":
        low, high = points.min(0), points.max(0)
        canvas.box(value, (low[0], low[1]), (high[0] - low[0], high[1] - low[1]))
        canvas.record.count("1 rectangle was filled", "{n} rectangles were filled")
    elif item.form == "circle":
        radius = math.hypot(*(points[1] - points[0]))
        canvas.ellipse(value, (points[0, 0], points[0, 1]), (radius, radius))
    else:
        _draw_line(canvas, item, value, points)


def _draw_line(canvas: Canvas, item: LabelmeShape, value: int, points: Any) -> None:
    width = checked_number(item.item.get(_WIDTH_KEY) or LINE_WIDTH, "width")
    if width <= 0:
        raise OddShapeError("a width that is not above 0")
    if item.form == "dots":
        canvas.dots(value, points, width)
    else:
        canvas.line(value, points, width)
    if not item.item.get(_WIDTH_KEY):
        canvas.record.count(
            f"1 shape of kind '{item.kind}' was drawn {LINE_WIDTH} px wide",
            f"{{n}} shapes of kind '{item.kind}' were drawn {LINE_WIDTH} px wide",
        )


def _draw_mask(canvas: Canvas, item: LabelmeShape, value: int) -> None:
    (x0, y0), (x1, y1) = item.points
    canvas.spend(_DECODING * float(np.abs((x1 - x0 + 1) * (y1 - y0 + 1))))
    y, x, mask = decode_mask_shape(item.item, (canvas.height, canvas.width))
    canvas.mask(value, y, x, mask)
