"""Strokes of ScribbleSup XML (Lin et al., CVPR 2016): tagged polylines.

`<annotation><size><height/><width/></size><polygon><tag/><point><X/><Y/></point>...` with
0-based pixel coordinates.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from saccade.errors import InputError
from saccade.files import read_xml
from saccade.images import check_pixels
from saccade.scribbles.drawing import Point, VectorStroke, draw_strokes
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
            size that is missing or not that of the image, fewer than two classes.
    """
    root = _parse(path)
    shape = _size(root, path, shape)
    known = {name: i for i, name in enumerate(names or SCRIBBLESUP_TAGS)}
    if names is None:
        known |= {name: known[tag] for name, tag in _VOC_NAMES.items()}
    drawn = [_stroke(polygon, known, path) for polygon in root.iter("polygon")]
    drawn = [stroke for stroke in drawn if stroke.points]
    classes = sorted({stroke.label for stroke in drawn})
    check_classes(classes, str(path))
    unlabeled = free_unlabeled(classes)
    labels = draw_strokes(drawn, shape, width=width, unlabeled=unlabeled)
    ordered = names or SCRIBBLESUP_TAGS
    found = {c: str(ordered[c]) for c in classes}
    listed = ", ".join(f"{c} = {name}" for c, name in found.items())
    scheme = "given class names" if names else "VOC classes"
    line = f"{short_name(str(path))}: ScribbleSup XML, {width} px lines, {scheme} {listed}"
    return Strokes(labels, unlabeled, found, line)


def _parse(path: Path) -> ElementTree.Element:
    root = read_xml(path, "ScribbleSup")
    if root.tag != "annotation" or root.find(".//polygon") is None:
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
    check_pixels(path, *found)
    check_shape(found, shape, str(path))
    return found


def _stroke(polygon: ElementTree.Element, known: dict[str, int], path: Path) -> VectorStroke:
    tag = (polygon.findtext("tag") or "").strip()
    if tag not in known:
        raise InputError(
            f"{path}: unknown tag '{tag}'; give the class names that the tags come from "
            f"(known: {', '.join(list(known)[:25])})"
        )
    return VectorStroke(known[tag], tuple(_point(p, path) for p in polygon.iter("point")))


def _point(point: ElementTree.Element, path: Path) -> Point:
    texts = point.findtext("X") or "", point.findtext("Y") or ""
    try:
        x, y = float(texts[0]), float(texts[1])
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f"{path}: point ({texts[0]}, {texts[1]}), expected two numbers X and Y")
    return x, y
