"""CVAT's XML "for images" read: what its shapes cover, drawn one image at a time.

Masks, polygons, boxes and ellipses are filled, boxes and ellipses turned about their centre;
polylines and points are drawn 10 pixels wide. Shapes with a higher ``z_order`` are on top, of equal
ones the later. Cuboids and skeletons are no regions of the image and are skipped.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from saccade.data.foreign import refuse_xml
from saccade.data.shapes import (
    OddShapeError,
    ShapeRecord,
    WorkBudget,
    check_size,
    positions_of,
)
from saccade.errors import InputError
from saccade.files import last_part, read_xml, remembering
from saccade.formats.canvas import LINE_WIDTH, Canvas
from saccade.formats.cvat import COMMENT
from saccade.formats.entries import pick_entry
from saccade.formats.filling import Floats
from saccade.formats.geometry import checked_number, checked_points
from saccade.formats.labels import AnnotatedImage, ReadOptions, saved_values, values_of_names

_DRAWN = ("mask", "polygon", "box", "ellipse", "polyline", "points")


def iter_cvat(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[AnnotatedImage]:
    """Yield the images of a CVAT XML file with their labels, decoded one at a time.

    Raises:
        InputError: malformed XML, another XML format, no image, several images where `single`,
            another size than `shape`, a label that is not among `names`, no shape that can be
            drawn.
    """
    path = Path(path)
    root = (_read if options.image_name is None else _read_again)(path)
    images = root.findall("image")
    if root.tag != "annotations" or not images:
        refuse_xml(root, path)
    if options.image_name is not None:
        images = [pick_entry(images, _image_name, options.image_name, str(path))]
    elif options.single and len(images) > 1:
        raise InputError(
            f"{path}: has {len(images)} images, expected 1; read them one by "
            "one with saccade.formats.masks.iter_annotations"
        )
    values = _values(root, path) if options.names is None else {}
    for image in images:
        try:
            height, width = int(image.get("height", "")), int(image.get("width", ""))
        except ValueError as error:
            raise InputError(f"{path}: an <image> without width and height") from error
        check_size(path, height, width, options.shape)
        shapes = [child for child in image if not _is_comment(child)]
        used = (s.get("label", "") for s in shapes if s.tag in _DRAWN and s.get("label"))
        table = positions_of(options.names, used, path) or values
        canvas = Canvas((height, width), options.uncovered, ShapeRecord(), WorkBudget(path))
        for drawn in sorted(shapes, key=_z_order):
            _draw(canvas, drawn, table)
        labels = canvas.finished(path, table, alone=len(images) == 1)
        known = {value: name for name, value in table.items()}
        yield AnnotatedImage(last_part(_image_name(image)), labels, known, canvas.record.remarks)


def _read(path: Path) -> ET.Element:
    return read_xml(path, "CVAT's XML", comments=True)


_read_again = remembering(_read)


def _image_name(image: ET.Element) -> str:
    return image.get("name", "")


def _values(root: ET.Element, path: Path) -> dict[str, int]:
    used = {s.get("label", "") for image in root.findall("image") for s in image} - {""}
    listed = {str(e.text).strip() for e in root.findall("./meta//label/name")}
    for child in root:
        if _is_comment(child) and (child.text or "").startswith(COMMENT):
            try:
                values = saved_values(json.loads((child.text or "")[len(COMMENT) :]))
            except (ValueError, TypeError) as error:
                raise InputError(f"{path}: its comment '{COMMENT}...' is damaged") from error
            if used <= set(values):
                return values
    return values_of_names(used | listed)


def _is_comment(element: Any) -> bool:
    return bool(element.tag is ET.Comment)


def _z_order(shape: ET.Element) -> float:
    try:
        return checked_number(shape.get("z_order") or 0, "z_order")
    except OddShapeError:
        return 0.0


def _draw(canvas: Canvas, shape: ET.Element, values: dict[str, int]) -> None:
    record = canvas.record
    if shape.tag == "tag":
        record.count("1 tag of the whole image is not used", "{n} tags of the image are not used")
        return
    name = shape.get("label", "")
    try:
        if shape.tag not in _DRAWN:
            raise OddShapeError(f"expected {', '.join(_DRAWN[:-1])} or {_DRAWN[-1]}")
        if not name:
            raise OddShapeError("no label")
        if shape.get("outside") == "1":
            raise OddShapeError("is outside of the image")
        _paint(canvas, shape, values[name])
    except OddShapeError as error:
        record.skip(shape.tag, error)


def _paint(canvas: Canvas, shape: ET.Element, value: int) -> None:
    degrees = _number(shape, "rotation", "0")
    if shape.tag == "mask":
        _paint_mask(canvas, shape, value)
    elif shape.tag == "box":
        x0, y0, x1, y1 = (_number(shape, key) for key in ("xtl", "ytl", "xbr", "ybr"))
        canvas.box(value, (x0, y0), (x1 - x0, y1 - y0), degrees)
        canvas.record.count("1 box was filled", "{n} boxes were filled")
        return
    elif shape.tag == "ellipse":
        x, y, rx, ry = (_number(shape, key) for key in ("cx", "cy", "rx", "ry"))
        canvas.ellipse(value, (x, y), (rx, ry), degrees)
        return
    elif shape.tag == "polygon":
        canvas.polygons(value, [_points(shape, 3)])
    elif shape.tag == "polyline":
        canvas.line(value, _points(shape, 1))
        canvas.record.count(
            f"1 polyline was drawn {LINE_WIDTH} px wide",
            f"{{n}} polylines were drawn {LINE_WIDTH} px wide",
        )
    else:
        points = _points(shape, 1)
        canvas.dots(value, points)
        canvas.record.count(
            f"1 point was drawn as a disc {LINE_WIDTH} px wide",
            f"{{n}} points were drawn as discs {LINE_WIDTH} px wide",
            len(points),
        )
    if degrees % 360:
        canvas.record.count(
            f"1 rotation of a {shape.tag} was not applied",
            f"{{n}} rotations of a {shape.tag} were not applied",
        )


def _number(shape: ET.Element, key: str, default: str = "") -> float:
    return checked_number(shape.get(key, default), key)


def _points(shape: ET.Element, fewest: int) -> Floats:
    text = shape.get("points", "").strip().strip(";")
    pairs = [pair.split(",") for pair in text.split(";")] if text else []
    return checked_points(pairs, fewest)


def _paint_mask(canvas: Canvas, shape: ET.Element, value: int) -> None:
    try:
        left, top, w, h = (int(shape.get(key, "")) for key in ("left", "top", "width", "height"))
        runs = np.array(shape.get("rle", "").split(","), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise OddShapeError("no whole numbers in rle, left, top, width and height") from error
    if min(left, top) < 0 or min(w, h) < 1 or left + w > canvas.width or top + h > canvas.height:
        raise OddShapeError(f"its box is outside of the image of {canvas.width} x {canvas.height}")
    if runs.min() < 0 or runs.max() > w * h or int(runs.sum()) != w * h:
        raise OddShapeError(f"its runs have the sum {runs.sum()}, expected {w} x {h} = {w * h}")
    ends = runs.cumsum()
    stops, lengths = ends[1::2], runs[1::2]
    drawn = lengths > 0
    canvas.row_runs(value, (stops - lengths)[drawn], stops[drawn], (top, left, h, w))
