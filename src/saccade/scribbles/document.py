"""Strokes as a person drew them: an ordered list that can be changed, kept and drawn again.

A document is kept as labelme JSON, so that labelme opens it: lines are shapes of type
"linestrip" with their width in a key "width", regions are shapes of type "mask". The values and
colours of the classes are in "saccade_classes" and "saccade_colors"; labelme hands unknown keys on.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from saccade.data.labelme import COLORS_KEY, encode_png, labelme_file
from saccade.errors import InputError, printable
from saccade.files import atomic_write
from saccade.scribbles.drawing import PixelStroke, Point, VectorStroke, draw_strokes, drawing_work
from saccade.scribbles.strokes import Strokes, free_unlabeled
from saccade.strict_json import json_text

DIGEST_KEY = "saccade_image"
"""Key of a digest of the image's file."""
WIDTH_KEY = "width"

COLOR = re.compile("#[0-9a-fA-F]{6}")
MOST_WIDTH = 10_000
_MOST_PIXELS = 800_000_000  # of the boxes of classes that become patches


@dataclass(frozen=True)
class StrokeClass:
    """A class that strokes can have.

    Attributes:
        value: its value in masks, 0 and above.
        name: different for each class.
        color: "#rrggbb", or None for the usual one.
    """

    value: int
    name: str
    color: str | None = None


@dataclass(frozen=True)
class Line:
    """A stroke of a brush: a polyline with round ends and joints, or a dot.

    Attributes:
        id: names the stroke within its document.
        value: class value.
        width: in pixels of the image.
        points: (x, y); (0, 0) is the centre of the upper left pixel.
    """

    id: str
    value: int
    width: float
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Patch:
    """A stroke that is given by its pixels, such as one that was imported.

    Attributes:
        id: names the stroke within its document.
        value: class value.
        x: column of the mask's left pixels in the image.
        y: row of its upper pixels.
        mask: (h, w), True where the stroke is.
    """

    id: str
    value: int
    x: int
    y: int
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Pin:
    """Pixels of a mask that keep their class, whatever is fitted; no stroke, nothing learns of it.

    Attributes:
        item: the pixels and their class.
        above: how many strokes of the document lie below; where a later one goes, it counts.
    """

    item: Line | Patch
    above: int = 0


@dataclass(frozen=True)
class StrokeDocument:
    """The classes of an image and its strokes; later ones are on top.

    Attributes:
        classes: that there are.
        items: the strokes.
        pins: what of the mask stays as it is.
    """

    classes: tuple[StrokeClass, ...]
    items: tuple[Line | Patch, ...] = ()
    pins: tuple[Pin, ...] = ()

    @property
    def names(self) -> dict[int, str]:
        """Class value -> name."""
        return {c.value: c.name for c in self.classes}


def rasterize(
    document: StrokeDocument,
    shape: tuple[int, int],
    *,
    pause: Callable[[], None] | None = None,
) -> Strokes:
    """Draw a document: the pixels that `read_strokes` gives for the file it is written to.

    Unlike there it may have no stroke at all.

    Args:
        document: what to draw.
        shape: (H, W) of the image.
        pause: called every few milliseconds; what it raises ends the drawing.
    """
    values = sorted({item.value for item in document.items})
    unlabeled = free_unlabeled(values)
    labels = draw_strokes(
        [as_stroke(item) for item in document.items],
        shape,
        width=1,
        unlabeled=unlabeled,
        pause=pause,
    )
    names = document.names
    return Strokes(labels, unlabeled, {v: names[v] for v in values if v in names})


def document_work(document: StrokeDocument, shape: tuple[int, int]) -> float:
    """Pixels that `rasterize` paints, about."""
    return drawing_work([as_stroke(item) for item in document.items], shape)


def document_from_strokes(
    strokes: Strokes, *, known: tuple[StrokeClass, ...] = (), prefix: str = "p"
) -> StrokeDocument:
    """Return strokes as one `Patch` for each class.

    Args:
        strokes: read from a file of any kind.
        known: classes that there are already; others are added after them.
        prefix: what the ids of the patches begin with.

    Raises:
        InputError: the boxes of the classes are too large to be kept as patches.
    """
    classes = {c.value: c for c in known}
    items = []
    boxes = _boxes(strokes)
    for value in boxes:
        name = strokes.names.get(value) or ("background" if value == 0 else f"class {value}")
        classes.setdefault(value, StrokeClass(value, _unused(name, classes)))
        place = boxes[value]
        y, x = place[0].start, place[1].start
        items.append(Patch(f"{prefix}{value}", value, x, y, strokes.labels[place] == value))
    ordered = tuple(classes[value] for value in sorted(classes))
    return StrokeDocument(ordered, tuple(items))


def _boxes(strokes: Strokes) -> dict[int, tuple[slice, slice]]:
    """Class value -> rows and columns of its box, of all classes in one pass."""
    from scipy import ndimage  # not at the top: reading starts without it

    parts = strokes.labels + 1
    parts[strokes.labels == strokes.unlabeled] = 0
    found = ndimage.find_objects(parts)
    boxes = {value: place for value, place in enumerate(found) if place is not None}
    pixels = sum((y.stop - y.start) * (x.stop - x.start) for y, x in boxes.values())
    if pixels > _MOST_PIXELS:
        raise InputError(
            f"strokes: {len(boxes)} classes that lie all over the image, in boxes of "
            f"{pixels // 10**6} megapixels together, above {_MOST_PIXELS // 10**6}; use a mask"
        )
    return boxes


def labelme_strokes(
    document: StrokeDocument, shape: tuple[int, int], image_path: str = ""
) -> dict[str, Any]:
    """Return a document as labelme JSON for an image of (H, W) `shape`; `imageData` is null."""
    names = document.names
    shapes = [_shape(item, names[item.value]) for item in document.items]
    classes = [(c.value, c.name) for c in document.classes]
    colors = {str(c.value): c.color for c in document.classes if c.color}
    return labelme_file(shapes, shape, image_path, classes) | {COLORS_KEY: colors}


def write_document(
    path: str | os.PathLike[str],
    document: StrokeDocument,
    shape: tuple[int, int],
    image_path: str = "",
    *,
    digest: str = "",
    follow: bool = True,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write `labelme_strokes` of the same arguments; an older file is replaced as a whole.

    `digest` tells what is in the image's file, so that a replaced image is noticed.

    A link at `path` is written through, or, without `follow`, replaced. `more` has further keys.

    Raises:
        InputError: the folder of `path` does not exist.
    """
    strokes = labelme_strokes(document, shape, printable(image_path))
    strokes |= ({DIGEST_KEY: digest} if digest else {}) | dict(more or {})
    with atomic_write(path, follow=follow) as part, open(part, "w", encoding="utf-8") as file:
        _write_json(file, strokes)


def _write_json(file: TextIO, strokes: dict[str, Any]) -> None:
    """Write shape after shape: nobody else can run while one piece is put into words."""
    start = json_text(strokes | {"shapes": []}, ensure_ascii=False)
    before, after = start.split('"shapes": []', 1)
    file.write(before + '"shapes": [')
    for i, shape in enumerate(strokes["shapes"]):
        file.write(", " if i else "")
        file.write(json_text(shape, ensure_ascii=False))
    file.write("]" + after)


def fit_to(document: StrokeDocument, shape: tuple[int, int]) -> StrokeDocument:
    """Return a document for an image of another (H, W) `shape`: patches are cut at its border."""
    cut = (_cut(item, shape) for item in document.items)
    pins = ((_cut(pin.item, shape), pin.above) for pin in document.pins)
    return StrokeDocument(
        document.classes,
        tuple(item for item in cut if item is not None),
        tuple(Pin(item, above) for item, above in pins if item is not None),
    )


def _cut(item: Line | Patch, shape: tuple[int, int]) -> Line | Patch | None:
    if isinstance(item, Line):
        return item
    mask = item.mask[: max(0, shape[0] - item.y), : max(0, shape[1] - item.x)]
    return replace(item, mask=mask.copy()) if mask.any() else None


def _unused(name: str, classes: dict[int, StrokeClass]) -> str:
    taken = {c.name for c in classes.values()}
    unused, number = name, 2
    while unused in taken:
        unused, number = f"{name} {number}", number + 1
    return unused


def as_stroke(item: Line | Patch) -> VectorStroke | PixelStroke:
    """Return an item as `draw_strokes` takes it."""
    if isinstance(item, Patch):
        return PixelStroke(item.value, item.x, item.y, item.mask)
    return VectorStroke(item.value, item.points, width=pixel_width(item.width))


def pixel_width(width: float) -> int:
    """Return the width in whole pixels with which a line is drawn, at least 1."""
    return max(1, int(width + 0.5))


def _shape(item: Line | Patch, label: str) -> dict[str, Any]:
    common: dict[str, Any] = {"label": label, "group_id": None, "description": "", "flags": {}}
    if isinstance(item, Line):
        points = [[float(x), float(y)] for x, y in item.points]
        kind = "linestrip" if len(points) > 1 else "point"
        return common | {"points": points, "shape_type": kind, WIDTH_KEY: item.width}
    height, width = item.mask.shape
    corners = [[float(item.x), float(item.y)], [item.x + width - 1.0, item.y + height - 1.0]]
    return common | {"points": corners, "shape_type": "mask", "mask": encode_png(item.mask)}
