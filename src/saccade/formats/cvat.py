"""Label images as CVAT's XML "for images", version 1.1: a mask element for each class.

CVAT's run lengths go row by row inside an inclusive box, zeros first. Class 0 is what no mask
covers. A comment keeps the values of the classes, as CVAT knows names only.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from saccade.formats.labels import (
    ClassNames,
    checked_labels,
    distinct_class_names,
)
from saccade.strict_json import json_text

COMMENT = "saccade_classes "


def cvat_text(
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    file_name: str = "",
    colors: Mapping[int, tuple[int, int, int]] | None = None,
) -> str:
    """Return an (H, W) label image as the text of a CVAT XML file.

    Args:
        labels: (H, W) integers >= 0.
        classes: class values to list even where they do not occur.
        names: names of the classes.
        file_name: of the image.
        colors: class value -> (r, g, b) in 0..255; CVAT chooses where there is none.

    Raises:
        InputError: `labels` is not a label image, or two of its classes have one name.
    """
    labels = checked_labels(labels)
    table = distinct_class_names(labels, classes, names, "CVAT")
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    # Two hyphens may not stand in a comment.
    text = json_text([[value, name] for value, name in table.items()]).replace("--", "-\\u002d")
    root.append(ET.Comment(COMMENT + text))
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    ET.SubElement(task, "size").text = "1"
    ET.SubElement(task, "mode").text = "annotation"
    listed = ET.SubElement(task, "labels")
    for value, name in table.items():
        if value:
            label = ET.SubElement(listed, "label")
            ET.SubElement(label, "name").text = name
            if colors and value in colors:
                ET.SubElement(label, "color").text = "#{:02x}{:02x}{:02x}".format(*colors[value])
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
