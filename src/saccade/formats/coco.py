"""Label images as COCO JSON: one annotation per class, in run lengths or polygons.

Class 0 is a category like any other, so that the file reads back to the same labels.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import check_readable, last_part, one_line
from saccade.formats.entries import pick_entry
from saccade.formats.labels import AnnotatedImage, ClassNames, checked_labels, class_names
from saccade.formats.polygons import checked_points, fill_polygon, region_polygons
from saccade.formats.rle import Region, compress_counts, decode_mask, encode_regions
from saccade.images import check_pixels


def coco_document(
    labels: Any,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    file_name: str = "",
    compressed: bool = True,
    polygons: bool = False,
) -> dict[str, Any]:
    """Return an (H, W) label image as a COCO document (images, categories, annotations).

    Args:
        labels: (H, W) integers >= 0; a category has the class value as its id.
        classes: class values that are to be categories even where they do not occur.
        names: names of the categories.
        file_name: `file_name` of the image.
        compressed: counts as text, as pycocotools writes them; False: as lists of integers.
        polygons: polygons along the sides of pixels instead of run lengths.

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
            _annotation(
                i,
                value,
                region,
                _polygons(labels, value)
                if polygons
                else _run_lengths(region, (height, width), compressed),
            )
            for i, (value, region) in enumerate(regions.items(), start=1)
        ],
    }


def iter_coco(
    path: str | os.PathLike[str],
    *,
    uncovered: int = 0,
    shape: tuple[int, int] | None = None,
    single: bool = False,
    image_name: str | None = None,
) -> Iterator[AnnotatedImage]:
    """Yield the images of a COCO JSON file with their labels, decoded one at a time.

    Later annotations are painted over earlier ones.

    Args:
        path: path of the file.
        uncovered: value of pixels that no annotation covers.
        shape: (H, W) that every image must have; checked before anything is decoded.
        single: refuse files of several images.
        image_name: of the one image to read, see `saccade.formats.entries.pick_entry`.

    Raises:
        InputError: malformed JSON, another JSON format, several images where `single`, another
            size than `shape`, run lengths or polygons that do not fit the image.
    """
    path, document = _parse(path)
    images = document["images"]
    if image_name is not None:
        images = [pick_entry(images, _file_name, image_name, str(path))]
    elif single and len(images) != 1:
        raise InputError(
            f"{path}: not a COCO file of one image but of {len(images)}; "
            "read them one by one with saccade.formats.masks.iter_annotations"
        )
    names = {int(c["id"]): str(c["name"]) for c in document["categories"]}
    by_image: dict[Any, list[Any]] = {}
    for annotation in document["annotations"]:
        if not isinstance(annotation, dict):
            raise InputError(f"{path}: an annotation without run lengths or polygons")
        # A file of one image may leave it out.
        key = annotation.get("image_id", document["images"][0].get("id"))
        by_image.setdefault(_plain(key, path), []).append(annotation)
    for image in images:
        height, width = int(image["height"]), int(image["width"])
        check_pixels(path, height, width, shape)
        labels = np.full((height, width), uncovered, dtype=np.int32)
        for annotation in by_image.get(_plain(image.get("id"), path), []):
            _paint(labels, annotation, path)
        yield AnnotatedImage(last_part(_file_name(image)), labels, names)


def _parse(path: str | os.PathLike[str]) -> tuple[Path, dict[str, Any]]:
    path = check_readable(path)
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
        for image in document["images"]:
            int(image["height"]), int(image["width"])
        for category in document.setdefault("categories", []):
            int(category["id"]), str(category["name"])
        list(document["annotations"])
        if not document["images"]:
            raise ValueError("it has no images")
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        RecursionError,
        AttributeError,
    ) as error:
        raise InputError(
            f"{path}: not a COCO file of one image or more with height and width "
            f"({one_line(error)})"
        ) from error
    return path, document


def _file_name(image: dict[str, Any]) -> str:
    return str(image.get("file_name", ""))


def _plain(identifier: Any, path: Path) -> Any:
    if isinstance(identifier, (list, dict)):
        raise InputError(f"{path}: an id that is a {type(identifier).__name__}, expected a number")
    return identifier


def _annotation(number: int, value: int, region: Region, segmentation: Any) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": 1,
        "category_id": value,
        "segmentation": segmentation,
        "area": region.area,
        "bbox": list(region.bbox),
        "iscrowd": 0,
    }


def _run_lengths(region: Region, size: tuple[int, int], compressed: bool) -> dict[str, Any]:
    counts = compress_counts(region.counts) if compressed else region.counts.tolist()
    return {"size": list(size), "counts": counts}


def _polygons(labels: NDArray[np.int32], value: int) -> list[list[int]]:
    return [ring.ravel().tolist() for ring in region_polygons(labels == value)]


def _paint(labels: NDArray[np.int32], annotation: Any, path: Path) -> None:
    try:
        value, segmentation = int(annotation["category_id"]), annotation["segmentation"]
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        raise InputError(
            f"{path}: an annotation without run lengths or polygons, expected 'category_id' and "
            "'segmentation'"
        ) from error
    if not 0 <= value <= np.iinfo(np.int32).max:
        raise InputError(f"{path}: category {value}, expected 0 or above")
    try:
        labels[_mask(segmentation, labels.shape)] = value
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _mask(segmentation: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    height, width = shape
    if isinstance(segmentation, list):
        mask = np.zeros((height, width), dtype=bool)
        for polygon in segmentation:
            mask |= fill_polygon(checked_points(polygon, "a polygon"), height, width)
        return mask
    try:
        size, counts = list(segmentation["size"]), segmentation["counts"]
    except (TypeError, KeyError) as error:
        raise InputError(
            "an annotation without run lengths or polygons, expected 'segmentation': "
            "{'size': [H, W], 'counts': ...} or [[x, y, ...], ...]"
        ) from error
    if size != [height, width]:
        raise InputError(f"annotation of size {size}, expected {[height, width]}")
    return decode_mask(counts, height, width)
