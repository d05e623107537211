"""COCO JSON read: what its annotations cover, drawn one image at a time.

Later annotations are on top, those of crowds as well. Of an annotation its segmentation is drawn;
where that is empty its visible key points, as discs, and where there are none its box, filled.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from saccade.data.shapes import (
    OddShapeError,
    ShapeRecord,
    WorkBudget,
    check_size,
    positions_of,
)
from saccade.errors import InputError
from saccade.files import last_part, one_line, read_json, remembering
from saccade.formats.canvas import LINE_WIDTH, Canvas
from saccade.formats.coco_shapes import identifier, key_points, paint_segmentation
from saccade.formats.entries import pick_entry
from saccade.formats.geometry import checked_number
from saccade.formats.labels import AnnotatedImage, ReadOptions

_MOST_VALUE = np.iinfo(np.int32).max


def iter_coco(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[AnnotatedImage]:
    """Yield the images of a COCO JSON file with their labels, decoded one at a time.

    Raises:
        InputError: malformed JSON, another JSON format, several images where `single`, another
            size than `shape`, an annotation of an image that is not there, a category that is not
            among `names`, no annotation that can be drawn.
    """
    path = Path(path)
    document, owned = (_read if options.image_name is None else _read_again)(path)
    images = document["images"]
    if options.image_name is not None:
        images = [pick_entry(images, _file_name, options.image_name, str(path))]
    elif options.single and len(images) != 1:
        raise InputError(
            f"{path}: not a COCO file of one image but of {len(images)}; "
            "read them one by one with saccade.formats.masks.iter_annotations"
        )
    categories = {identifier(c["id"]): str(c["name"]) for c in document["categories"]}
    known = _known_names(categories, options.names)
    for image in images:
        height, width = int(image["height"]), int(image["width"])
        check_size(path, height, width, options.shape)
        annotations = owned.get(identifier(image.get("id")), [])
        values = _values(annotations, categories, options.names, path)
        canvas = Canvas((height, width), options.uncovered, ShapeRecord(), WorkBudget(path))
        for annotation in annotations:
            _draw(canvas, annotation, values)
        labels = canvas.finished(path, _by_name(known), alone=len(images) == 1)
        yield AnnotatedImage(last_part(_file_name(image)), labels, known, canvas.record.remarks)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The document and the annotations of each image."""
    document = _document(path)
    return document, _by_image(document, path)


_read_again = remembering(_read)


def _document(path: Path) -> dict[str, Any]:
    document = read_json(path)
    try:
        for image in document["images"]:
            int(image["height"]), int(image["width"])
        for category in document.setdefault("categories", []):
            category["id"], str(category["name"])
        list(document["annotations"])
        if not document["images"]:
            raise ValueError("it has no images")
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise InputError(
            f"{path}: not a COCO file of one image or more with height and width "
            f"({one_line(error)})"
        ) from error
    checked: dict[str, Any] = document
    return checked


def _by_image(document: dict[str, Any], path: Path) -> dict[str, list[Any]]:
    """Annotations by the id of their image; a file of one image may leave that out."""
    ids = [identifier(image.get("id")) for image in document["images"]]
    owned: dict[str, list[Any]] = {key: [] for key in ids}
    lost: list[str] = []
    for annotation in document["annotations"]:
        given = annotation.get("image_id") if isinstance(annotation, dict) else None
        if len(ids) == 1 and (given is None or not ids[0]):
            key = ids[0]
        elif isinstance(given, (list, dict)):
            raise InputError(f"{path}: an id that is a {type(given).__name__}, expected a number")
        else:
            key = identifier(given)
        if key in owned:
            owned[key].append(annotation)
        else:
            lost.append(key)
    if lost:
        what = "1 annotation is" if len(lost) == 1 else f"{len(lost)} annotations are"
        raise InputError(
            f"{path}: {what} of no image in the file (image_id {lost[0][:40] or 'missing'}), "
            f"expected one of {', '.join(key[:40] for key in ids[:5])}"
        )
    twice = [key for key, number in Counter(ids).items() if number > 1 and owned[key]]
    if twice:
        raise InputError(f"{path}: two images have the id {twice[0][:40]}, expected different ones")
    return owned


def _file_name(image: dict[str, Any]) -> str:
    return str(image.get("file_name") or "")


def _by_name(names: dict[int, str]) -> dict[str, int]:
    return {name: value for value, name in names.items()}


def _known_names(categories: dict[str, str], names: Sequence[str] | None) -> dict[int, str]:
    if names is not None:
        return {value: str(name) for value, name in enumerate(names)}
    return {int(key): name for key, name in categories.items() if _is_value(key)}


def _values(
    annotations: list[Any],
    categories: dict[str, str],
    names: Sequence[str] | None,
    path: Path,
) -> dict[str, int]:
    """Category id, as text -> class value."""
    ids = {identifier(a.get("category_id")) for a in annotations if isinstance(a, dict)} - {""}
    if not categories:  # ids without names are values, as in label images
        return {key: int(key) for key in ids if _is_value(key)}
    if names is None:
        return {key: int(key) for key in ids & categories.keys() if _is_value(key)}
    labels = {key: categories[key] for key in ids if key in categories}
    table = positions_of(names, labels.values(), path) or {}
    return {key: table[name] for key, name in labels.items()}


def _is_value(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 11 and int(key) <= _MOST_VALUE


def _draw(canvas: Canvas, annotation: Any, values: dict[str, int]) -> None:
    if not isinstance(annotation, dict):
        canvas.record.skip(type(annotation).__name__, "no annotation, expected an object")
        return
    segmentation = annotation.get("segmentation")
    given = "segmentation" if _filled(segmentation) else "bbox"
    points = key_points(annotation) if given == "bbox" else np.zeros((0, 2))
    kind = "keypoints" if len(points) else given
    try:
        value = _value(annotation, values)
        if kind == "segmentation":
            paint_segmentation(canvas, value, segmentation)
            canvas.record.count(
                "of 1 annotation with key points its segmentation was drawn alone",
                "of {n} annotations with key points their segmentation was drawn alone",
                int(len(key_points(annotation)) > 0),
            )
        elif kind == "keypoints":
            canvas.dots(value, points)
            canvas.record.count(
                f"the key points of 1 annotation were drawn as discs {LINE_WIDTH} px wide",
                f"the key points of {{n}} annotations were drawn as discs {LINE_WIDTH} px wide",
            )
        else:
            _fill_box(canvas, value, annotation)
    except OddShapeError as error:
        canvas.record.skip(kind, error)
        return
    if annotation.get("iscrowd") in (1, True, "1"):
        canvas.record.count(
            "1 annotation of a crowd was drawn like the others",
            "{n} annotations of crowds were drawn like the others",
        )


def _filled(segmentation: Any) -> bool:
    if isinstance(segmentation, list):
        return any(not isinstance(part, list) or part for part in segmentation)
    return segmentation not in (None, "", {})


def _value(annotation: dict[str, Any], values: dict[str, int]) -> int:
    key = identifier(annotation.get("category_id"))
    if not key:
        raise OddShapeError("no category_id")
    if key not in values:
        raise OddShapeError(f"category {key[:40]}, expected one of the file's, 0 or above")
    return values[key]


def _fill_box(canvas: Canvas, value: int, annotation: dict[str, Any]) -> None:
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise OddShapeError("neither segmentation nor a box as x, y, width, height")
    x, y, width, height = (checked_number(number, "a side of the box") for number in box)
    if min(width, height) <= 0:
        raise OddShapeError("a box without area")
    attributes = annotation.get("attributes")  # CVAT keeps the rotation of boxes there
    rotation = attributes.get("rotation") if isinstance(attributes, dict) else None
    canvas.box(value, (x, y), (width, height), checked_number(rotation or 0, "the rotation"))
    canvas.record.count(
        "1 box without segmentation was filled", "{n} boxes without segmentation were filled"
    )
