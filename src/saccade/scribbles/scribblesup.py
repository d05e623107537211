"""Strokes of ScribbleSup XML (Lin et al., CVPR 2016): tagged polylines.

`<annotation><size><height/><width/></size><polygon><tag/><point><X/><Y/></point>...` with
0-based pixel coordinates.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from saccade.data.foreign import foreign_xml, refuse_xml
from saccade.data.shapes import OddShapeError, ShapeRecord, WorkBudget, check_size
from saccade.errors import InputError
from saccade.files import read_xml
from saccade.scribbles.drawing import (
    PixelStroke,
    Point,
    VectorStroke,
    count_covered,
    count_moved,
    draw_strokes,
)
from saccade.scribbles.strokes import (
    Strokes,
    check_classes,
    check_shape,
    free_unlabeled,
    short_name,
)

SCRIBBLESUP_TAGS = (
    "background",
    "plane",
    "bike",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "plant",
    "sheep",
    "sofa",
    "train",
    "monitor",
)
"""The tags of the PASCAL VOC part; the index of a tag is the VOC class value."""

_VOC_NAMES = {
    "aeroplane": "plane",
    "bicycle": "bike",
    "diningtable": "table",
    "pottedplant": "plant",
    "tvmonitor": "monitor",
}


def read_scribblesup(
    path: Path,
    *,
    shape: tuple[int, int] | None = None,
    names: Sequence[str] | None = None,
    width: int = 3,
) -> Strokes:
    """Read one ScribbleSup XML file; points outside the image are moved to its border.

    Args:
        path: the XML file.
        shape: (H, W) of the image; checked against the file's size, needed where it has none.
        names: class names in the order of their values, for the PASCAL-Context part or own
            tags; None: the 21 VOC tags (VOC's own names are understood too).
        width: width of the drawn lines in pixels.

    Raises:
        InputError: malformed XML, another XML format, an unknown tag, a broken coordinate, a
            size that is missing or not that of the image, no stroke.
    """
    root = _parse(path)
    shape = _size(root, path, shape)
    record, budget = ShapeRecord(), WorkBudget(path)
    known = {name: i for i, name in enumerate(names or SCRIBBLESUP_TAGS)}
    if names is None:
        known |= {name: known[tag] for name, tag in _VOC_NAMES.items()}
    drawn: list[VectorStroke | PixelStroke] = []
    for polygon in root.iter("polygon"):
        try:
            stroke = _stroke(polygon, known, path)
        except OddShapeError as error:
            record.skip("polygon", error)
            continue
        if stroke.points:
            drawn.append(stroke)
        else:
            record.count("1 stroke has no points", "{n} strokes have no points")
    if record.skipped and not drawn:
        record.refuse(path)
    count_moved(drawn, shape, record)
    classes = sorted({stroke.label for stroke in drawn})
    check_classes(classes, str(path), "; ".join(record.remarks))
    unlabeled = free_unlabeled(classes)
    labels = draw_strokes(drawn, shape, width=width, unlabeled=unlabeled, budget=budget)
    count_covered(labels, known, classes, record)
    ordered = names or SCRIBBLESUP_TAGS
    found = {c: str(ordered[c]) for c in classes}
    listed = ", ".join(f"{c} = {name}" for c, name in found.items())
    scheme = "given class names" if names else "VOC classes"
    line = f"{short_name(str(path))}: ScribbleSup XML, {width} px lines, {scheme} {listed}"
    return Strokes(labels, unlabeled, found, line, record.remarks)


def _parse(path: Path) -> ElementTree.Element:
    root = read_xml(path, "ScribbleSup")
    if root.tag != "annotation" or root.find(".//polygon") is None or foreign_xml(root):
        if root.tag != "annotation" or foreign_xml(root):
            refuse_xml(root, path)
        raise InputError(
            f"{path}: XML <{root.tag}> without strokes, expected ScribbleSup's "
            "<annotation> with <polygon> elements"
        )
    return root


def _size(root: ElementTree.Element, path: Path, shape: tuple[int, int] | None) -> tuple[int, int]:
    height, width = root.findtext("size/height"), root.findtext("size/width")
    if height is None or width is None:
        if shape is None:
            raise InputError(f"{path}: has no <size>, so the size of its image must be given")
        return shape
    try:
        found = int(height), int(width)
    except ValueError as error:
        raise InputError(f"{path}: size {width} x {height}, expected two integers") from error
    check_shape(found, shape, str(path))
    check_size(path, *found, shape)
    return found


def _stroke(polygon: ElementTree.Element, known: dict[str, int], path: Path) -> VectorStroke:
    tag = (polygon.findtext("tag") or "").strip()
    if not tag:
        raise OddShapeError("no tag")
    points = tuple(_point(point) for point in polygon.iter("point"))
    if tag not in known:
        raise InputError(
            f"{path}: unknown tag '{tag}'; give the class names that the tags come from "
            f"(known: {', '.join(list(known)[:25])})"
        )
    return VectorStroke(known[tag], points)


def _point(point: ElementTree.Element) -> Point:
    texts = point.findtext("X") or "", point.findtext("Y") or ""
    try:
        x, y = float(texts[0]), float(texts[1])
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        shown = f"({texts[0][:20]}, {texts[1][:20]})"
        raise OddShapeError(f"point {shown}, expected two numbers X and Y")
    return x, y
