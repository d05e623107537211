"""Label images as COCO JSON: one annotation per class, in run lengths or polygons.

Class 0 is a category like any other, so that the file reads back to the same labels.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.formats.labels import ClassNames, checked_labels, class_names
from saccade.formats.polygons import region_polygons
from saccade.formats.rle import Region, compress_counts, encode_regions


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
    annotations = [
        annotation(
            i,
            value,
            region,
            _polygons(labels, value)
            if polygons
            else run_lengths(region, (height, width), compressed),
        )
        for i, (value, region) in enumerate(regions.items(), start=1)
    ]
    return document((height, width), file_name, categories, annotations)


def document(
    size: tuple[int, int],
    file_name: str,
    categories: Mapping[int, str],
    annotations: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return a COCO document of one image of size (H, W)."""
    return {
        "images": [{"id": 1, "file_name": file_name, "height": size[0], "width": size[1]}],
        "categories": [
            {"id": value, "name": name, "supercategory": ""} for value, name in categories.items()
        ],
        "annotations": annotations,
    }


def annotation(number: int, value: int, region: Region, segmentation: Any) -> dict[str, Any]:
    """Return an annotation of a class, or of an object of it."""
    return {
        "id": number,
        "image_id": 1,
        "category_id": value,
        "segmentation": segmentation,
        "area": region.area,
        "bbox": list(region.bbox),
        "iscrowd": 0,
    }


def run_lengths(region: Region, size: tuple[int, int], compressed: bool = True) -> dict[str, Any]:
    """Return the run lengths of a region in an image of size (H, W)."""
    counts = compress_counts(region.counts) if compressed else region.counts.tolist()
    return {"size": list(size), "counts": counts}


def _polygons(labels: NDArray[np.int32], value: int) -> list[list[int]]:
    return [ring.ravel().tolist() for ring in region_polygons(labels == value)]
