"""Label images as Label Studio tasks with brush labels, one result for each class.

Class 0 is what no brush covers. The key "saccade_classes" in the task's "meta" keeps the values of
the classes.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import last_part, read_json
from saccade.formats.brush_rle import decode_brush, encode_brush
from saccade.formats.entries import image_path, pick_entry
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

_CLASSES_KEY = "saccade_classes"
_KINDS = ("brushlabels", "polygonlabels", "rectanglelabels")


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
            "meta": {_CLASSES_KEY: [[value, name] for value, name in table.items()]},
            "predictions": [{"model_version": "saccade", "result": results}],
        }
    ]


def iter_label_studio(
    path: str | os.PathLike[str],
    *,
    uncovered: int = 0,
    shape: tuple[int, int] | None = None,
    single: bool = False,
    image_name: str | None = None,
) -> Iterator[AnnotatedImage]:
    """Yield the tasks of a Label Studio file that have labels, decoded one at a time.

    Exports in JSON and in JSON-MIN are read, and files of tasks with predictions. Annotations come
    before predictions; of several the first that was not cancelled is taken.

    Args:
        path: path of the file.
        uncovered: value of pixels that no result covers.
        shape: (H, W) that every image must have; checked before anything is decoded.
        single: refuse files with labels for none or several tasks.
        image_name: of the one image to read, see `saccade.formats.entries.pick_entry`.

    Raises:
        InputError: malformed JSON, another JSON format, not exactly one task with labels where
            `single`, another size than `shape`, run lengths that do not fit.
    """
    path = Path(path)
    tasks = read_json(path)
    tasks = tasks if isinstance(tasks, list) else [tasks]
    if not all(isinstance(task, dict) for task in tasks):
        raise InputError(f"{path}: not a list of Label Studio tasks")
    labeled = [(task, results) for task in tasks if (results := _results(task))]
    drawn = labeled
    if image_name is not None:
        drawn = [pick_entry(labeled, lambda entry: _address(entry[0]), image_name, str(path))]
    elif single and len(labeled) != 1:
        raise InputError(
            f"{path}: has {len(labeled)} tasks with labels, expected one; read "
            "them one by one with saccade.formats.masks.iter_annotations"
        )
    values: dict[str, int] = {}
    try:
        for task in tasks:
            meta = task.get("meta")
            pairs = meta.get(_CLASSES_KEY, []) if isinstance(meta, dict) else []
            values |= saved_values(pairs)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: its '{_CLASSES_KEY}' is damaged") from error
    used = {_label(result) for _, results in labeled for result in results} - {""}
    if not used <= set(values):
        values = values_of_names(used)
    names = {value: name for name, value in values.items()}
    for task, results in drawn:
        labels = _paint_results(results, values, uncovered, path, shape)
        yield AnnotatedImage(last_part(image_path(_address(task))), labels, names)


def result_mask(result: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """The pixels (H, W) of one result: brush, polygon or rectangle.

    Raises:
        InputError: it is none of these, or does not fit.
    """
    value = result.get("value")
    value = value if isinstance(value, dict) else result
    if "rle" in value:
        return decode_brush(value["rle"], height, width)
    scale = np.array([width, height]) / 100  # Label Studio counts in percent
    if "points" in value:
        points = checked_points(value["points"], "a polygon") * scale
        return fill_polygon(points, height, width)
    try:
        x, y, w, h = (float(value[key]) for key in ("x", "y", "width", "height"))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("a result that is no brush, polygon or rectangle") from error
    corners = checked_points([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], "a rectangle")
    return fill_polygon(corners * scale, height, width)


def _results(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything in a task that labels pixels."""
    lists: list[Any] = []
    for key in ("annotations", "completions", "predictions"):
        given = task.get(key)
        for entry in given if isinstance(given, list) else []:
            if isinstance(entry, dict) and not entry.get("was_cancelled"):
                lists.append(entry.get("result"))
    if not any(key in task for key in ("annotations", "completions", "predictions")):
        lists += [value for value in task.values() if isinstance(value, list)]  # JSON-MIN
    for results in lists:
        entries = results if isinstance(results, list) else []
        labeled = [r for r in entries if isinstance(r, dict) and _label(r)]
        if labeled:
            return labeled
    return []


def _label(result: dict[str, Any]) -> str:
    value = result.get("value")
    value = value if isinstance(value, dict) else result
    for kind in _KINDS:
        labels = value.get(kind)
        if isinstance(labels, list) and labels and isinstance(labels[0], str):
            return str(labels[0])
    return ""


def _address(task: dict[str, Any]) -> str:
    data = task.get("data")
    data = data if isinstance(data, dict) else task
    texts = [str(v) for k, v in data.items() if isinstance(v, str) and ("image" in k or "img" in k)]
    return (texts or [""])[0]


def _paint_results(
    results: list[dict[str, Any]],
    values: dict[str, int],
    uncovered: int,
    path: Path,
    shape: tuple[int, int] | None,
) -> NDArray[np.int32]:
    try:
        height, width = int(results[0]["original_height"]), int(results[0]["original_width"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: a result without original_width and _height") from error
    check_pixels(path, height, width, shape)
    labels = np.full((height, width), uncovered, dtype=np.int32)
    for result in results:
        if result.get("image_rotation"):
            raise InputError(f"{path}: a rotated image ({result['image_rotation']} degrees)")
        try:
            labels[result_mask(result, height, width)] = values[_label(result)]
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    return labels
