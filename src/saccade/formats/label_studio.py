"""Label images as Label Studio tasks with brush labels, one result for each class.

Class 0 is what no brush covers. The key "saccade_classes" in the task's "meta" keeps the values of
the classes.
"""

import secrets
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.formats.brush_rle import encode_brush
from saccade.formats.labels import (
    ClassNames,
    checked_labels,
    distinct_class_names,
)

CLASSES_KEY = "saccade_classes"


def brush_result(
    mask: NDArray[np.bool_], name: str, *, from_name: str = "tag", to_name: str = "image"
) -> dict[str, Any]:
    """Return a mask (H, W) as one result of type "brushlabels"."""
    height, width = mask.shape
    return {
        "id": secrets.token_hex(5),
        "type": "brushlabels",
        "from_name": from_name,
        "to_name": to_name,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": encode_brush(mask), "brushlabels": [name]},
    }


def label_studio_tasks(
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    file_name: str = "",
    from_name: str = "tag",
    to_name: str = "image",
) -> list[dict[str, Any]]:
    """Return an (H, W) label image as a list of one task, which Label Studio imports.

    The mask is a prediction, which an annotator accepts or changes.

    Args:
        labels: (H, W) integers >= 0.
        classes: class values to list even where they do not occur.
        names: names of the classes; they must be those of the labelling interface.
        file_name: of the image, for the task's "image".
        from_name: name of the BrushLabels tag.
        to_name: name of the Image tag.

    Raises:
        InputError: `labels` is not a label image, or two of its classes have one name.
    """
    labels = checked_labels(labels)
    table = distinct_class_names(labels, classes, names, "Label Studio")
    results = []
    for value, name in table.items():
        mask = labels == value
        if value and mask.any():
            result = brush_result(mask, name, from_name=from_name, to_name=to_name)
            results.append(result | {"id": f"saccade-{value}"})
    if not results:  # a task says its size in its results only
        empty = np.zeros(labels.shape, dtype=bool)
        name = table[max(table)]
        results = [brush_result(empty, name, from_name=from_name, to_name=to_name)]
        results[0]["id"] = "saccade-0"
    return [
        {
            "data": {"image": file_name},
            "meta": {CLASSES_KEY: [[value, name] for value, name in table.items()]},
            "predictions": [{"model_version": "saccade", "result": results}],
        }
    ]
