"""The segmentations of COCO in all their forms: polygons, run lengths, and lists of either."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.shapes import OddShapeError
from saccade.formats.canvas import Canvas
from saccade.formats.filling import Ints
from saccade.formats.geometry import checked_points
from saccade.formats.rle import decode_runs

_RING = ("1 ring of a polygon was skipped", "{n} rings of polygons were skipped")


def paint_segmentation(canvas: Canvas, value: int, segmentation: Any) -> None:
    """Draw a segmentation: polygons [[x, y, ...], ...] or [x, y, ...], run lengths, or several.

    Raises:
        OddShapeError: nothing in it can be drawn.
    """
    rings: list[NDArray[np.float64]] = []
    runs: list[tuple[Ints, Ints]] = []
    faults: list[OddShapeError] = []
    for part in _parts(segmentation):
        try:
            if isinstance(part, dict):
                runs.append(_run_lengths(canvas, part))
            else:
                rings.append(checked_points(part))
        except OddShapeError as error:
            faults.append(error)
    if not rings and not runs:
        raise faults[0] if faults else OddShapeError("an empty segmentation")
    for _ in faults:
        canvas.record.count(*_RING)
    if rings:
        canvas.polygons(value, rings)
    for starts, stops in runs:
        canvas.column_runs(value, starts, stops)


def key_points(annotation: dict[str, Any]) -> NDArray[np.float64]:
    """Return the key points (N, 2) that are labelled: x, y, v triples with v above 0."""
    try:
        triples = np.asarray(annotation.get("keypoints") or [], dtype=np.float64).reshape(-1, 3)
        return checked_points(triples[triples[:, 2] > 0, :2], fewest=1)
    except (TypeError, ValueError, OverflowError):  # none, or none that can be drawn
        return np.zeros((0, 2))


def identifier(given: Any) -> str:
    """Return an id as text, so that "1", 1 and 1.0 are the same; "" where there is none."""
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    try:
        return "" if given is None else str(given).strip()
    except ValueError:  # a number of thousands of digits
        return ""


def _parts(segmentation: Any) -> list[Any]:
    """Polygons and run lengths one by one, however they are nested."""
    if isinstance(segmentation, dict):
        return [segmentation]
    if not isinstance(segmentation, list):
        raise OddShapeError(
            "a segmentation without run lengths or polygons, expected [[x, y, ...], ...] or "
            "{'size': [H, W], 'counts': ...}"
        )
    parts = [part for part in segmentation if not isinstance(part, list) or part]
    if not any(isinstance(part, (list, dict)) for part in parts):
        return [parts]  # [x, y, x, y, ...]
    if len(parts) > 2 and all(isinstance(part, list) and len(part) == 2 for part in parts):
        return [parts]  # [[x, y], [x, y], ...]
    return parts


def _run_lengths(canvas: Canvas, part: dict[str, Any]) -> tuple[Ints, Ints]:
    size = part.get("size")
    if size != [canvas.height, canvas.width]:
        raise OddShapeError(
            f"run lengths of size {str(size)[:30]}, expected {[canvas.height, canvas.width]}"
        )
    return decode_runs(part.get("counts"), canvas.height, canvas.width)
