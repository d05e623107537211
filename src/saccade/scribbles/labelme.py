"""Strokes of labelme JSON: line strips and lines, dots, and small filled regions."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from saccade.data.files import one_line
from saccade.data.images import check_pixels
from saccade.errors import InputError
from saccade.scribbles.drawing import Drawn, Point, draw_strokes
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

    Lines, line strips and points are drawn `width` pixels wide; polygons, rectangles and
    circles are filled. The value of a label is its position in `names`, or without them its
    place among the file's labels, "background" first, then in alphabetical order.

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
    labels = {item["label"] for item in shapes}
    ordered = list(names) if names is not None else _default_order(labels)
    unknown = sorted(labels - set(ordered))
    if unknown:
        raise InputError(
            f"{path}: unknown label '{unknown[0]}', expected one of {', '.join(ordered)}"
        )
    drawn = [s for item in shapes for s in _strokes(item, ordered.index(item["label"]), path)]
    classes = sorted({stroke.label for stroke in drawn})
    check_classes(classes, str(path))
    unlabeled = free_unlabeled(classes)
    values = draw_strokes(drawn, shape, width=width, unlabeled=unlabeled)
    found = {c: ordered[c] for c in classes}
    listed = ", ".join(f"{c} = {name}" for c, name in found.items())
    line = f"{short_name(str(path))}: labelme JSON, {width} px lines, classes {listed}"
    return Strokes(values, unlabeled, found, line)


def _default_order(labels: set[str]) -> list[str]:
    return sorted(labels, key=lambda label: (label.lower() not in BACKGROUND_LABELS, label))


def _parse(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: malformed JSON ({one_line(error)})") from error
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


def _strokes(item: dict[str, Any], value: int, path: Path) -> list[Drawn]:
    kind = item.get("shape_type") or "polygon"  # labelme before 3.0 had nothing else
    if kind not in _SHAPES:
        raise InputError(
            f"{path}: shape type '{kind}' cannot be read as a stroke, expected {', '.join(_SHAPES)}"
        )
    points = tuple(_point(point, path) for point in item["points"])
    shape = _SHAPES[kind]
    if not _FEWEST_POINTS[shape] <= len(points) <= _MOST_POINTS.get(shape, len(points)):
        raise InputError(f"{path}: {kind} '{item['label']}' with {len(points)} points")
    if kind == "points":
        return [Drawn(value, (point,)) for point in points]
    return [Drawn(value, points, shape)]


def _point(point: Any, path: Path) -> Point:
    try:
        x, y = point
        x, y = float(x), float(y)
    except (TypeError, ValueError, OverflowError):
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f"{path}: point {str(point)[:60]}, expected two numbers [x, y]")
    return x, y
