"""Label images as COCO JSON: one image, one annotation in run-length encoding per class.

Class 0 is a category like any other, so that the file reads back to the same labels.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.files import atomic_write, check_readable, one_line
from saccade.data.images import check_pixels
from saccade.errors import InputError
from saccade.formats.labels import ClassNames, checked_labels, class_names
from saccade.formats.rle import Region, compress_counts, decode_mask, encode_regions


def coco_document(
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    file_name: str = "",
    compressed: bool = True,
) -> dict[str, Any]:
    """Return an (H, W) label image as a COCO document (images, categories, annotations).

    Args:
        labels: (H, W) integers >= 0; a category has the class value as its id.
        classes: class values that are to be categories even where they do not occur.
        names: names of the categories.
        file_name: `file_name` of the image.
        compressed: counts as text, as pycocotools writes them; False: as lists of integers.

    Raises:
        InputError: `labels` is not a label image.
    """
    labels = checked_labels(labels)
    height, width = labels.shape
    regions = encode_regions(labels)
    categories = class_names(regions, classes, names)
    return {
        "images": [{"id": 1, "file_name": file_name, "height": height, "width": width}],
        "categories": [
            {"id": value, "name": name, "supercategory": ""} for value, name in categories.items()
        ],
        "annotations": [
            _annotation(i, value, region, (height, width), compressed)
            for i, (value, region) in enumerate(regions.items(), start=1)
        ],
    }


def write_coco(
    path: str | os.PathLike[str],
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    file_name: str = "",
    compressed: bool = True,
) -> None:
    """Write `coco_document` of the same arguments to `path`.

    Raises:
        InputError: `labels` is not a label image, or the folder of `path` does not exist.
    """
    document = coco_document(
        labels, classes=classes, names=names, file_name=file_name, compressed=compressed
    )
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def read_coco(path: str | os.PathLike[str]) -> NDArray[np.int32]:
    """Read the labels, (H, W) int32, of a COCO JSON file of one image.

    Later annotations are painted over earlier ones; pixels of none are 0.

    Raises:
        InputError: malformed JSON, not exactly one image, polygons instead of run lengths,
            run lengths that do not fit the image.
    """
    path = check_readable(path)
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
        (image,) = document["images"]
        height, width = int(image["height"]), int(image["width"])
        annotations = list(document["annotations"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{path}: not a COCO file of one image with its height and width ({one_line(error)})"
        ) from error
    check_pixels(path, height, width)
    labels = np.zeros((height, width), dtype=np.int32)
    for annotation in annotations:
        _paint(labels, annotation, path)
    return labels


def _annotation(
    number: int, value: int, region: Region, size: tuple[int, int], compressed: bool
) -> dict[str, Any]:
    counts = compress_counts(region.counts) if compressed else region.counts.tolist()
    return {
        "id": number,
        "image_id": 1,
        "category_id": value,
        "segmentation": {"size": list(size), "counts": counts},
        "area": region.area,
        "bbox": list(region.bbox),
        "iscrowd": 0,
    }


def _paint(labels: NDArray[np.int32], annotation: Any, path: Path) -> None:
    try:
        value, segmentation = int(annotation["category_id"]), annotation["segmentation"]
        size, counts = list(segmentation["size"]), segmentation["counts"]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path}: an annotation without run lengths, expected "
            "'segmentation': {'size': [H, W], 'counts': ...}"
        ) from error
    if size != list(labels.shape) or not 0 <= value <= np.iinfo(np.int32).max:
        raise InputError(
            f"{path}: annotation of size {size} and category {value}, expected "
            f"{list(labels.shape)} and a category of 0 or above"
        )
    try:
        labels[decode_mask(counts, *labels.shape)] = value
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
