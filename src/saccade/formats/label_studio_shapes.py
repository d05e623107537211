"""The regions of Label Studio: found among the results of a task, named, and drawn.

Used for files and by the backend alike. Coordinates are in percent of the image. Rectangles are
turned about their upper left corner, ellipses about their centre; key points become discs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from saccade.data.shapes import OddShapeError, ShapeRecord
from saccade.formats.brush_rle import decode_runs
from saccade.formats.canvas import LINE_WIDTH, Canvas
from saccade.formats.filling import Floats
from saccade.formats.geometry import checked_number, checked_points, turned

_POINT_SHARE = 0.012
"""Least radius of a key point, of the longer side of the image: they are drawn by a click."""

_ANSWERS = ("choices", "textarea", "rating", "number", "taxonomy", "datetime", "ranker", "relation")
_PLACES = ("rle", "points", "vertices", "x", "imageDataURL")


@dataclass(frozen=True)
class StudioRegion:
    """A region of an image.

    Attributes:
        label: its first label, "" where it has none.
        kind: "brushlabels", "rectangle" and so on, as Label Studio calls it.
        value: where it is.
        result: as it was in the file.
    """

    label: str
    kind: str
    value: dict[str, Any]
    result: dict[str, Any]


def studio_regions(results: Iterable[Any], record: ShapeRecord) -> list[StudioRegion]:
    """Return the regions among the results of a task, in their order.

    A region and its labels may be two results with one id, as under a <Labels> tag.

    Args:
        results: of one annotation.
        record: counts the results that are no regions.
    """
    entries = [result for result in results if isinstance(result, dict)]
    named: dict[str, list[str]] = {}
    for result in entries:
        if labels := labels_of(result):
            named.setdefault(_id(result), labels)
    placed = {_id(result) for result in entries if _is_placed(result)} - {""}
    regions: list[StudioRegion] = []
    seen: set[tuple[str, str]] = set()
    for result in entries:
        kind = str(result.get("type") or _kind_by_labels(result))
        if kind in _ANSWERS:
            _count_answer(record, kind)
            continue
        if not _is_placed(result):
            if _id(result) not in placed:
                record.skip(kind, "no region of an image")
                if _id(result):
                    placed.add(_id(result))  # its labels are not counted again
            continue
        labels = labels_of(result) or (named.get(_id(result), []) if _id(result) else [])
        label = labels[0] if labels else ""
        if _id(result) and (_id(result), label) in seen:
            continue
        seen.add((_id(result), label))
        if len(labels) > 1:
            record.count(
                "1 region has several labels, of which the first is used",
                "{n} regions have several labels, of which the first is used",
            )
        regions.append(StudioRegion(label, kind, _value(result), result))
    return regions


def labels_of(result: dict[str, Any]) -> list[str]:
    """Return the labels that a result has itself."""
    value = _value(result)
    keys = [key for key in value if isinstance(key, str) and key.endswith("labels")]
    for key in sorted(keys, key=lambda key: key != result.get("type")):
        found = value[key]
        if isinstance(found, list) and found and isinstance(found[0], str) and found[0]:
            return [str(label) for label in found]
    return []


def paint_region(canvas: Canvas, region: StudioRegion, value: int) -> None:
    """Draw a region.

    Raises:
        OddShapeError: it is of no kind that can be drawn, or its numbers make no shape.
    """
    place = region.value
    size = canvas.width, canvas.height
    if "rle" in place:
        canvas.row_runs(value, *decode_runs(place["rle"], canvas.height, canvas.width))
    elif "points" in place or "vertices" in place:
        _paint_points(canvas, region, value)
    elif "radiusX" in place:
        centre = _percent(place, ("x", "y"), size)
        radii = _percent(place, ("radiusX", "radiusY"), size)
        canvas.ellipse(value, centre, radii, _rotation(place))
    elif "width" in place and "height" in place:
        x, y = _percent(place, ("x", "y"), size)
        w, h = _percent(place, ("width", "height"), size)
        corners = checked_points([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
        canvas.polygons(value, [turned(corners, _rotation(place), (x, y))])
        canvas.record.count("1 rectangle was filled", "{n} rectangles were filled")
    elif "x" in place and "y" in place:
        _paint_key_point(canvas, place, value)
    else:
        raise OddShapeError("expected a brush, polygon, rectangle, ellipse, key point or vector")


def _paint_points(canvas: Canvas, region: StudioRegion, value: int) -> None:
    given = region.value.get("points", region.value.get("vertices"))
    if isinstance(given, list):
        given = [[p.get("x"), p.get("y")] if isinstance(p, dict) else p for p in given]
    line = region.kind.startswith(("vector", "polyline", "line")) or "points" not in region.value
    closed = region.value.get("closed") in (True, 1)
    points: Floats = checked_points(given, 1 if line and not closed else 3)
    points = checked_points(points * [canvas.width, canvas.height] / 100, 1)
    if not line or closed:
        canvas.polygons(value, [points])
        return
    canvas.line(value, points)
    canvas.record.count(
        f"1 line was drawn {LINE_WIDTH} px wide", f"{{n}} lines were drawn {LINE_WIDTH} px wide"
    )


def _paint_key_point(canvas: Canvas, place: dict[str, Any], value: int) -> None:
    size = canvas.width, canvas.height
    point = _percent(place, ("x", "y"), size)
    radius = checked_number(place.get("width") or 0, "width") / 100 * canvas.width
    radius = max(radius, _POINT_SHARE * max(size), 1.0)
    canvas.dots(value, np.array([point]), 2 * radius)
    width = round(2 * radius)
    canvas.record.count(
        f"1 key point was drawn as a disc {width} px wide",
        f"{{n}} key points were drawn as discs {width} px wide",
    )


def _percent(
    place: dict[str, Any], keys: tuple[str, str], size: tuple[int, int]
) -> tuple[float, float]:
    first, second = (checked_number(place.get(key), key) for key in keys)
    return first * size[0] / 100, second * size[1] / 100


def _rotation(place: dict[str, Any]) -> float:
    return checked_number(place.get("rotation") or 0, "rotation")


def _value(result: dict[str, Any]) -> dict[str, Any]:
    value = result.get("value")
    return value if isinstance(value, dict) else result  # JSON-MIN


def _is_placed(result: dict[str, Any]) -> bool:
    return result.get("type") not in _ANSWERS and any(key in _value(result) for key in _PLACES)


def _kind_by_labels(result: dict[str, Any]) -> str:
    return next((str(key) for key in _value(result) if str(key).endswith("labels")), "unknown")


def _id(result: dict[str, Any]) -> str:
    given = result.get("id")
    return given if isinstance(given, str) else ""


def _count_answer(record: ShapeRecord, kind: str) -> None:
    record.count(
        f"1 answer of kind '{kind}' is not used", f"{{n}} answers of kind '{kind}' are not used"
    )
