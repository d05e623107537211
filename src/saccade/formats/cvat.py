"""Label images as CVAT's XML "for images", version 1.1: a mask element for each class.

CVAT's run lengths go row by row inside an inclusive box, zeros first. Class 0 is what no mask
covers. A comment keeps the values of the classes, as CVAT knows names only.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import last_part, read_xml
from saccade.formats.entries import pick_entry
from saccade.formats.labels import (
    AnnotatedImage,
    ClassNames,
    checked_labels,
    distinct_class_names,
    saved_values,
    values_of_names,
)
from saccade.formats.polygons import checked_points, fill_polygon
from saccade.images import check_pixels

_COMMENT = "saccade_classes "
_LINE_WIDTH = 10  # of polylines and points, as usual for strokes


def cvat_text(
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    file_name: str = "",
) -> str:
    """Return an (H, W) label image as the text of a CVAT XML file.

    Args:
        labels: (H, W) integers >= 0.
        classes: class values to list even where they do not occur.
        names: names of the classes.
        file_name: of the image.

    Raises:
        InputError: `labels` is not a label image, or two of its classes have one name.
    """
    labels = checked_labels(labels)
    table = distinct_class_names(labels, classes, names, "CVAT")
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    # Two hyphens may not stand in a comment.
    text = json.dumps([[value, name] for value, name in table.items()]).replace("--", "-\\u002d")
    root.append(ET.Comment(_COMMENT + text))
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    ET.SubElement(task, "size").text = "1"
    ET.SubElement(task, "mode").text = "annotation"
    listed = ET.SubElement(task, "labels")
    for value, name in table.items():
        if value:
            label = ET.SubElement(listed, "label")
            ET.SubElement(label, "name").text = name
            ET.SubElement(label, "type").text = "mask"
            ET.SubElement(label, "attributes")
    height, width = labels.shape
    size = {"width": str(width), "height": str(height)}
    image = ET.SubElement(root, "image", {"id": "0", "name": file_name, **size})
    for value, name in table.items():
        mask = labels == value
        if value and mask.any():
            ET.SubElement(image, "mask", _mask_attributes(mask, name))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode")


def iter_cvat(
    path: str | os.PathLike[str],
    *,
    uncovered: int = 0,
    shape: tuple[int, int] | None = None,
    single: bool = False,
    image_name: str | None = None,
) -> Iterator[AnnotatedImage]:
    """Yield the images of a CVAT XML file with their labels, decoded one at a time.

    Masks, polygons and boxes are filled; polylines and points are drawn 10 pixels wide. Shapes
    with a higher ``z_order`` are on top.

    Args:
        path: path of the file.
        uncovered: value of pixels that no shape covers.
        shape: (H, W) that every image must have; checked before anything is decoded.
        single: refuse files of several images.
        image_name: of the one image to read, see `saccade.formats.entries.pick_entry`.

    Raises:
        InputError: malformed XML, another XML format, no image, several images where `single`,
            another size than `shape`, a shape that does not fit the image or cannot be filled.
    """
    path = Path(path)
    root = read_xml(path, "CVAT's XML", comments=True)
    if root.tag != "annotations":
        raise InputError(f"{path}: XML <{root.tag}>, expected CVAT's <annotations>")
    images = root.findall("image")
    if not images:
        raise InputError(f"{path}: has no <image>, expected CVAT's XML for images (not for videos)")
    if image_name is not None:
        images = [pick_entry(images, _image_name, image_name, str(path))]
    elif single and len(images) > 1:
        raise InputError(
            f"{path}: has {len(images)} images, expected 1; read them one by "
            "one with saccade.formats.masks.iter_annotations"
        )
    values = _values(root, path)
    names = {value: name for name, value in values.items()}
    for image in images:
        try:
            height, width = int(image.get("height", "")), int(image.get("width", ""))
        except ValueError as error:
            raise InputError(f"{path}: an <image> without width and height") from error
        check_pixels(path, height, width, shape)
        labels = np.full((height, width), uncovered, dtype=np.int32)
        for drawn in sorted(image, key=lambda s: _number(s.get("z_order", "0"))):
            if not _is_comment(drawn) and drawn.tag != "tag":
                _paint(labels, drawn, values, path)
        yield AnnotatedImage(last_part(_image_name(image)), labels, names)


def _image_name(image: ET.Element) -> str:
    return image.get("name", "")


def _mask_attributes(mask: NDArray[np.bool_], name: str) -> dict[str, str]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = int(rows[0]), int(columns[0])
    box = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    flat = box.ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    runs = np.diff(ends, prepend=0).tolist()
    if flat[0]:
        runs.insert(0, 0)
    return {
        "label": name,
        "source": "manual",
        "occluded": "0",
        "rle": ", ".join(map(str, runs)),
        "left": str(left),
        "top": str(top),
        "width": str(box.shape[1]),
        "height": str(box.shape[0]),
        "z_order": "0",
    }


def _values(root: ET.Element, path: Path) -> dict[str, int]:
    used = {s.get("label", "") for image in root.findall("image") for s in image} - {""}
    listed = {str(e.text).strip() for e in root.findall("./meta//label/name")}
    for child in root:
        if _is_comment(child) and (child.text or "").startswith(_COMMENT):
            try:
                values = saved_values(json.loads((child.text or "")[len(_COMMENT) :]))
            except (ValueError, TypeError) as error:
                raise InputError(f"{path}: its comment '{_COMMENT}...' is damaged") from error
            if used <= set(values):
                return values
    return values_of_names(used | listed)


def _paint(
    labels: NDArray[np.int32], shape: ET.Element, values: dict[str, int], path: Path
) -> None:
    name = shape.get("label", "")
    if name not in values:
        raise InputError(f"{path}: a <{shape.tag}> without a label")
    try:
        labels[_mask(shape, labels.shape)] = values[name]
    except InputError as error:
        raise InputError(f"{path}: <{shape.tag}> of '{name}': {error}") from error


def _mask(shape: ET.Element, size: tuple[int, ...]) -> NDArray[np.bool_]:
    height, width = size
    if shape.tag == "mask":
        return _decode(shape, height, width)
    if shape.tag == "box":
        x0, y0, x1, y1 = (_number(shape.get(key, "")) for key in ("xtl", "ytl", "xbr", "ybr"))
        corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
        return fill_polygon(checked_points(corners, "corners"), height, width)
    if shape.tag not in ("polygon", "polyline", "points"):
        raise InputError("is no shape that can be filled, expected mask, polygon, box or polyline")
    text = [pair.split(",") for pair in shape.get("points", "").split(";")]
    points = [[_number(part) for part in pair] for pair in text]
    if shape.tag == "polygon":
        return fill_polygon(checked_points(points, "points"), height, width)
    return _lines(points, height, width, joined=shape.tag == "polyline")


def _decode(shape: ET.Element, height: int, width: int) -> NDArray[np.bool_]:
    try:
        left, top, w, h = (int(shape.get(key, "")) for key in ("left", "top", "width", "height"))
        runs = np.array(shape.get("rle", "").split(","), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise InputError("expected whole numbers in rle, left, top, width and height") from error
    if min(left, top) < 0 or min(w, h) < 1 or left + w > width or top + h > height:
        raise InputError(f"its box is outside of the image of {width} x {height}")
    if runs.min() < 0 or runs.max() > w * h or int(runs.sum()) != w * h:
        raise InputError(f"its runs have the sum {runs.sum()}, expected {w} x {h} = {w * h}")
    mask = np.zeros((height, width), dtype=bool)
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask[top : top + h, left : left + w] = inside.reshape(h, w)
    return mask


def _lines(
    points: list[list[float]], height: int, width: int, *, joined: bool
) -> NDArray[np.bool_]:
    from PIL import Image, ImageDraw

    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    try:
        corners = [(float(x), float(y)) for x, y in points]
    except (ValueError, TypeError) as error:
        raise InputError("expected points as x,y;x,y;...") from error
    if not np.isfinite(corners).all() or np.abs(corners).max() > 1e7:
        raise InputError("expected finite points")
    if joined and len(corners) > 1:
        pen.line(corners, fill=1, width=_LINE_WIDTH, joint="curve")
    radius = _LINE_WIDTH / 2
    for x, y in corners:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    return np.asarray(canvas, dtype=bool)


def _is_comment(element: Any) -> bool:
    return bool(element.tag is ET.Comment)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"'{text[:40]}' is no number") from error
