"""Label images as labelme JSON: one shape of type "mask" per connected region.

labelme (5.2 and later) stores such a shape as its inclusive box and a PNG of the box, which
keeps every pixel and every hole; polygons would not. Class 0 is what no shape covers. The key
"saccade_classes" keeps the values of the classes; labelme hands unknown keys on.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.labelme import CLASSES_KEY, decode_mask_shape, encode_png, labelme_file
from saccade.errors import InputError
from saccade.files import check_readable, last_part, one_line
from saccade.formats.labels import (
    AnnotatedImage,
    ClassNames,
    checked_labels,
    distinct_class_names,
    saved_values,
    values_of_names,
)
from saccade.images import check_pixels


def labelme_document(
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    image_path: str = "",
) -> dict[str, Any]:
    """Return an (H, W) label image as a labelme document; `imageData` is null.

    Raises:
        InputError: `labels` is not a label image, or two of its classes have one name.
    """
    labels = checked_labels(labels)
    table = distinct_class_names(labels, classes, names, "labelme")
    shapes = [_shape(*region, table) for region in _regions(labels)]
    return labelme_file(shapes, (labels.shape[0], labels.shape[1]), image_path, table.items())


def read_labelme_masks(
    path: str | os.PathLike[str], *, uncovered: int = 0, shape: tuple[int, int] | None = None
) -> AnnotatedImage:
    """Read the image of a labelme JSON file with shapes of type "mask".

    Without "saccade_classes" the labels of the file are numbered 1, 2, ... in alphabetical order,
    and labels called "background" or "_background_" are 0.

    Args:
        path: path of the file.
        uncovered: value of pixels that no shape covers.
        shape: (H, W) that the image must have; checked before anything is decoded.

    Raises:
        InputError: malformed JSON, another JSON format, another size than `shape`, shapes of
            another type, a box outside the image, a damaged mask.
    """
    path = check_readable(path)
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
        height, width = int(document["imageHeight"]), int(document["imageWidth"])
        shapes = list(document["shapes"])
        values = _values(document, shapes)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise InputError(f"{path}: not a labelme file ({one_line(error)})") from error
    check_pixels(path, height, width, shape)
    labels = np.full((height, width), uncovered, dtype=np.int32)
    for item in shapes:
        _paint(labels, item, values, path)
    name = last_part(str(document.get("imagePath") or ""))
    return AnnotatedImage(name, labels, {value: label for label, value in values.items()})


def _regions(labels: NDArray[np.int32]) -> Iterator[tuple[int, int, int, NDArray[np.bool_]]]:
    """Yield (class value, y, x, mask of the box) for each 8-connected region but class 0."""
    from skimage import measure

    tools: Any = measure  # its functions carry no types
    components = tools.label(labels, background=0, connectivity=2)
    for region in tools.regionprops(components):
        y, x = region.bbox[:2]
        mask = np.asarray(region.image, dtype=bool)
        yield int(labels[y, x + mask[0].argmax()]), y, x, mask


def _shape(
    value: int, y: int, x: int, mask: NDArray[np.bool_], table: dict[int, str]
) -> dict[str, Any]:
    corners = [[x, y], [x + mask.shape[1] - 1, y + mask.shape[0] - 1]]
    return {
        "label": table[value],
        "points": [[float(px), float(py)] for px, py in corners],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": encode_png(mask),
    }


def _values(document: dict[str, Any], shapes: list[dict[str, Any]]) -> dict[str, int]:
    found = sorted({str(shape["label"]) for shape in shapes})
    if CLASSES_KEY in document:
        values = saved_values(document[CLASSES_KEY])
    else:
        values = values_of_names(found)
    missing = [name for name in found if name not in values]
    if missing:  # added in labelme after the file was written
        raise ValueError(f"label '{missing[0]}' is not in {CLASSES_KEY}")
    return values


def _paint(
    labels: NDArray[np.int32], shape: dict[str, Any], values: dict[str, int], path: Path
) -> None:
    label = shape["label"]
    if shape.get("shape_type") != "mask":
        raise InputError(
            f"{path}: shape '{label}' is a {shape.get('shape_type') or 'polygon'}, "
            "expected shapes of type 'mask' (others read as strokes only)"
        )
    try:
        y, x, mask = decode_mask_shape(shape, (labels.shape[0], labels.shape[1]))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    labels[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = values[label]
