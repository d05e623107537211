"""Label images as labelme JSON: one shape of type "mask" per connected region.

labelme (5.2 and later) stores such a shape as its inclusive box and a PNG of the box, which
keeps every pixel and every hole; polygons would not. Class 0 is what no shape covers. The key
"saccade_classes" keeps the values of the classes; labelme hands unknown keys on.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.labelme import COLORS_KEY, encode_png, labelme_file
from saccade.formats.labels import (
    ClassNames,
    checked_labels,
    distinct_class_names,
)


def labelme_document(
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    image_path: str = "",
    colors: Mapping[int, tuple[int, int, int]] | None = None,
) -> dict[str, Any]:
    """Return an (H, W) label image as a labelme document; `imageData` is null.

    `colors` (class value -> (r, g, b) in 0..255) go into the key that stroke files have them in.

    Raises:
        InputError: `labels` is not a label image, or two of its classes have one name.
    """
    labels = checked_labels(labels)
    table = distinct_class_names(labels, classes, names, "labelme")
    shapes = [mask_shape(*region, table) for region in _regions(labels)]
    size = (labels.shape[0], labels.shape[1])
    named = labelme_file(shapes, size, image_path, table.items())
    if not colors:
        return named
    used = {str(v): "#{:02x}{:02x}{:02x}".format(*colors[v]) for v in table if v in colors}
    return named | {COLORS_KEY: used}


def _regions(labels: NDArray[np.int32]) -> Iterator[tuple[int, int, int, NDArray[np.bool_]]]:
    """Yield (class value, y, x, mask of the box) for each 8-connected region but class 0."""
    from skimage import measure

    tools: Any = measure  # its functions carry no types
    components = tools.label(labels, background=0, connectivity=2)
    for region in tools.regionprops(components):
        y, x = region.bbox[:2]
        mask = np.asarray(region.image, dtype=bool)
        yield int(labels[y, x + mask[0].argmax()]), y, x, mask


def mask_shape(
    value: int, y: int, x: int, mask: NDArray[np.bool_], table: Mapping[int, str]
) -> dict[str, Any]:
    """Return a mask (h, w) whose upper left pixel is at (y, x) as a shape of a class."""
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
