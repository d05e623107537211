"""Strokes of labelme JSON: line strips and lines, dots, and small filled regions.

The values and names of classes are those of the key "saccade_classes" where a file has it, the
width of a line that of its shape's key "width"; both are what Saccade itself writes.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from saccade.data.labelme import CLASSES_KEY, decode_mask_shape
from saccade.errors import InputError
from saccade.files import one_line, read_json, reading
from saccade.images import MAX_PIXELS, check_pixels
from saccade.scribbles.document import (
    COLOR,
    COLORS_KEY,
    MOST_WIDTH,
    WIDTH_KEY,
    Line,
    Patch,
    StrokeClass,
    StrokeDocument,
    pixel_width,
)
from saccade.scribbles.drawing import PixelStroke, Point, VectorStroke, draw_strokes
from saccade.scribbles.strokes import (
    Strokes,
    check_classes,
    check_shape,
    free_unlabeled,
    short_name,
)

BACKGROUND_LABELS = ("background", "_background_", "__background__")
"""labelme's names for class 0."""

_SHAPES = {
    "linestrip": "line",
    "line": "line",
    "point": "line",
    "points": "line",
    "polygon": "polygon",
    "oriented_rectangle": "polygon",
    "rectangle": "rectangle",
    "circle": "circle",
}
_FEWEST_POINTS = {"line": 1, "polygon": 3, "rectangle": 2, "circle": 2}
_MOST_POINTS = {"rectangle": 2, "circle": 2}


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
        InputError: malformed JSON, another JSON format, a label that is not in `names`, a
            shape type that is no stroke, broken points, a wrong or missing size, fewer than
            two classes.
    """
    document = _parse(path)
    shape = _size(document, path, shape)
    shapes = [_checked(item, path) for item in document["shapes"]]
    table = _values(document, shapes, path) if names is None else _positions(names, shapes, path)
    drawn: list[VectorStroke | PixelStroke] = []
    room = MAX_PIXELS
    for item in shapes:
        for stroke in _strokes(item, table[item["label"]], shape, path):
            drawn.append(stroke)
            room -= stroke.mask.size if isinstance(stroke, PixelStroke) else 0
        if room < 0:
            raise InputError(f"{path}: its regions cover too many pixels, expected strokes")
    classes = sorted({stroke.label for stroke in drawn})
    check_classes(classes, str(path))
    unlabeled = free_unlabeled(classes)
    values = draw_strokes(drawn, shape, width=width, unlabeled=unlabeled)
    found = {value: name for name, value in table.items() if value in classes}
    listed = ", ".join(f"{c} = {found[c]}" for c in classes)
    own = any(isinstance(s, VectorStroke) and s.width for s in drawn)
    lines = "lines as wide as drawn" if own else f"{width} px lines"
    line = f"{short_name(str(path))}: labelme JSON, {lines}, classes {listed}"
    return Strokes(values, unlabeled, found, line)


def read_document(
    path: Path, shape: tuple[int, int], *, width: int = 10, most_pixels: int = MAX_PIXELS
) -> StrokeDocument:
    """Read a labelme JSON file as strokes that can go on being changed.

    Line strips, lines and points become a `Line`, everything else a `Patch`. Classes are as in
    `read_labelme`; there may be one, or none.

    Args:
        path: the JSON file.
        shape: (H, W) of the image, checked.
        width: of lines that have no "width" of their own.
        most_pixels: bound of what all patches may cover together.

    Raises:
        InputError: as `read_labelme`.
    """
    with reading(path, "strokes that cannot be read"):
        return _document(_parse(path), path, shape, width, most_pixels)


def _document(
    document: dict[str, Any], path: Path, shape: tuple[int, int], width: int, most_pixels: int
) -> StrokeDocument:
    _size(document, path, shape)
    shapes = [_checked(item, path) for item in document["shapes"]]
    table = _values(document, shapes, path)
    colors = document.get(COLORS_KEY)
    colors = colors if isinstance(colors, dict) else {}
    items: list[Line | Patch] = []
    for item in shapes:
        for stroke in _strokes(item, table[item["label"]], shape, path):
            made = _item(stroke, f"s{len(items) + 1}", shape, width)
            if made is not None:
                items.append(made)
                most_pixels -= made.mask.size if isinstance(made, Patch) else 0
        if most_pixels < 0:
            raise InputError(f"{path}: its regions cover too many pixels, expected strokes")
    ordered = sorted(table.items(), key=lambda entry: entry[1])
    classes = (StrokeClass(v, name, _color(colors.get(str(v)))) for name, v in ordered)
    return StrokeDocument(tuple(classes), tuple(items))


def _item(
    stroke: VectorStroke | PixelStroke, name: str, shape: tuple[int, int], width: int
) -> Line | Patch | None:
    if isinstance(stroke, PixelStroke):
        return Patch(name, stroke.label, stroke.x, stroke.y, stroke.mask)
    if stroke.shape == "line":
        return Line(name, stroke.label, float(stroke.width or width), stroke.points)
    mask = draw_strokes([stroke], shape, width=1, unlabeled=-2) != -2
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):  # outside of the image
        return None
    y, x = int(rows[0]), int(columns[0])
    return Patch(name, stroke.label, x, y, mask[y : rows[-1] + 1, x : columns[-1] + 1].copy())


def _color(text: Any) -> str | None:
    return text.lower() if isinstance(text, str) and COLOR.fullmatch(text) else None


def _positions(names: Sequence[str], shapes: list[dict[str, Any]], path: Path) -> dict[str, int]:
    unknown = sorted({item["label"] for item in shapes} - set(names))
    if unknown:
        raise InputError(
            f"{path}: unknown label '{unknown[0]}', expected one of {', '.join(names)}"
        )
    return {name: value for value, name in enumerate(names)}


def _values(document: dict[str, Any], shapes: list[dict[str, Any]], path: Path) -> dict[str, int]:
    """Label -> class value: what the file says, else by the order of the labels."""
    labels = {item["label"] for item in shapes}
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
    check_pixels(path, height, width)
    check_shape((height, width), shape, str(path))
    return height, width


def _checked(item: Any, path: Path) -> dict[str, Any]:
    if not isinstance(item, dict) or not isinstance(item.get("label"), str):
        raise InputError(f"{path}: a shape without a 'label' text, expected a labelme file")
    if not isinstance(item.get("points"), list):
        raise InputError(f"{path}: shape '{item['label']}' has no list 'points'")
    return item


def _strokes(
    item: dict[str, Any], value: int, shape: tuple[int, int], path: Path
) -> list[VectorStroke | PixelStroke]:
    kind = item.get("shape_type") or "polygon"  # labelme before 3.0 had nothing else
    if kind == "mask":
        return [_pixel_stroke(item, value, shape, path)]
    if kind not in _SHAPES:
        raise InputError(
            f"{path}: shape type '{kind}' cannot be read as a stroke, expected "
            f"{', '.join([*_SHAPES, 'mask'])}"
        )
    points = tuple(_point(point, path) for point in item["points"])
    form = _SHAPES[kind]
    if not _FEWEST_POINTS[form] <= len(points) <= _MOST_POINTS.get(form, len(points)):
        raise InputError(f"{path}: {kind} '{item['label']}' with {len(points)} points")
    width = _width(item, path) if form == "line" else None
    if kind == "points":
        return [VectorStroke(value, (point,), width=width) for point in points]
    return [VectorStroke(value, points, form, width)]


def _width(item: dict[str, Any], path: Path) -> int | None:
    width = item.get(WIDTH_KEY)
    if width is None:
        return None
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0 < width <= MOST_WIDTH:
        raise InputError(
            f"{path}: shape '{item['label']}' is {str(width)[:30]} wide, expected pixels above 0 "
            f"and up to {MOST_WIDTH}"
        )
    return pixel_width(width)


def _pixel_stroke(
    item: dict[str, Any], value: int, shape: tuple[int, int], path: Path
) -> PixelStroke:
    try:
        y, x, mask = decode_mask_shape(item, shape)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return PixelStroke(value, x, y, mask)


def _point(point: Any, path: Path) -> Point:
    try:
        x, y = point
        x, y = float(x), float(y)
    except (TypeError, ValueError, OverflowError):
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f"{path}: point {str(point)[:60]}, expected two numbers [x, y]")
    return x, y
