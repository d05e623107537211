"""What is measured of the objects of a large image, some rows of the image at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.images import Image
from saccade.objects.instances import Objects
from saccade.objects.measurements import Row, measure_objects, summarize_areas, titles_of
from saccade.slides.objects import ROWS, SlideObjects

_HIGHEST = 2048
"""Rows of an object that is measured at once."""


def measure_slide(
    objects: SlideObjects,
    image: Image,
    *,
    names: Mapping[int, str],
    file: str,
    progress: Callable[[float], None] = lambda done: None,
) -> list[Row]:
    """Measure each object as `saccade.objects.measure_objects` does.

    Args:
        objects: of the image.
        image: whose numbers are measured, of every bit.
        names: class value -> name.
        file: name of the image.
        progress: told the share that is done, in [0, 1].

    Returns:
        Rows in the order of the objects. One that is higher than 2,048 rows has no perimeter and
        no eccentricity.

    Example:
        >>> from pathlib import Path
        >>> from saccade.slides import find_slide_objects
        >>> mask = np.zeros((8, 9), np.uint8)
        >>> mask[2:5, 3:7] = 1
        >>> found = find_slide_objects(mask, np.full_like(mask, 255), Path("numbers"))
        >>> image = Image(mask * 10, "YX")
        >>> measure_slide(found, image, names={1: "cell"}, file="a.tif")[0]["centroid_y"]
        3.0
    """
    scale = {"pixel_size": dict(image.pixel_size), "unit": image.unit}
    common: dict[str, Any] = {"names": names, "file": file, **scale}
    rows: dict[int, Row] = {}
    for chosen, top, bottom in _groups(objects):
        own = _some(objects, chosen, slice(top, bottom))
        values = _values(image, slice(top, bottom))
        found = measure_objects(own, values, channels=image.channel_titles, **common)
        for number, row in zip(chosen.tolist(), found, strict=True):
            rows[number] = _moved(row, number, top, dict(image.pixel_size), image.unit)
        progress(bottom / len(objects.labels))
    large = np.flatnonzero(_heights(objects) > _HIGHEST)
    if len(large):
        rows |= zip(large.tolist(), _large(objects, large, image, common), strict=True)
    return [rows[number] for number in range(objects.count)]


def summarize_slide(
    objects: SlideObjects,
    image: Image,
    *,
    classes: Sequence[int],
    names: Mapping[int, str],
    file: str,
) -> list[Row]:
    """One row a class, see `saccade.objects.summarize_objects`.

    Example:
        >>> from pathlib import Path
        >>> from saccade.slides import find_slide_objects
        >>> mask = np.eye(3, dtype=np.uint8)
        >>> found = find_slide_objects(mask, np.full_like(mask, 255), Path("numbers"))
        >>> rows = summarize_slide(found, Image(mask, "YX"), classes=(1,), names={}, file="a.tif")
        >>> rows[0]["count"]
        3
    """
    return summarize_areas(
        objects.areas,
        objects.classes,
        objects.labels.shape,
        classes=classes,
        names=names,
        pixel_size=dict(image.pixel_size),
        unit=image.unit,
        file=file,
    )


def _heights(objects: SlideObjects) -> NDArray[np.int64]:
    return objects.boxes[:, 2] - objects.boxes[:, 0]


def _groups(objects: SlideObjects) -> Iterator[tuple[NDArray[np.int64], int, int]]:
    """Numbers from 0 on of objects that begin in the same rows, and the rows of all of them."""
    tops, small = objects.boxes[:, 0], _heights(objects) <= _HIGHEST
    for top in range(0, len(objects.labels), ROWS):
        chosen = np.flatnonzero(small & (tops >= top) & (tops < top + ROWS))
        if len(chosen):
            yield chosen, int(tops[chosen].min()), int(objects.boxes[chosen, 2].max())


def _some(objects: SlideObjects, chosen: NDArray[np.int64], rows: slice) -> Objects:
    """Some objects as 1, 2, ... in some rows of the image."""
    new = np.zeros(objects.count + 1, np.int32)
    new[chosen + 1] = np.arange(1, len(chosen) + 1)
    labels: Any = new[objects.labels[rows]]
    return Objects(labels, objects.classes[chosen], objects.confidences[chosen])


def _values(image: Image, rows: slice) -> NDArray[Any]:
    """Numbers (n, W, C) of some rows, NaN where they are missing."""
    values = image.plane(rows=rows)
    return values if image.nodata is None else np.where(values == image.nodata, np.nan, values)


def _moved(row: Row, number: int, top: int, size: dict[str, float], unit: str) -> Row:
    """A row that was measured from row `top` on, as one of the whole image."""
    row["object"] = number + 1
    for name in ("box_top", "box_bottom", "centroid_y"):
        row[name] += top
    if (name := f"centroid_y_{unit or 'unit'}") in row:
        row[name] += top * size["Y"]
    return row


def _large(
    objects: SlideObjects, large: NDArray[np.int64], image: Image, common: dict[str, Any]
) -> list[Row]:
    """Rows of objects that are too high to be measured at once: sums over strips."""
    count, new = len(large), np.zeros(objects.count + 1, np.int32)
    new[large + 1] = np.arange(1, count + 1)
    index, places = np.arange(1, count + 1), np.zeros((2, count))
    sums: Any = 0.0
    most: Any = -np.inf
    titles = titles_of(image.channel_titles, image.count("C"))
    for top in range(0, len(objects.labels), ROWS):
        rows = slice(top, min(top + ROWS, len(objects.labels)))
        own = new[objects.labels[rows]]
        if not own.any():
            continue
        values = _values(image, rows)
        planes = [values[..., channel] for channel in range(values.shape[2])]
        sums += np.array([ndimage.sum_labels(one.astype(float), own, index) for one in planes])
        there = np.isin(index, own)
        best = np.array([ndimage.maximum(one, own, index) for one in planes], float)
        most = np.maximum(most, np.where(there, best, -np.inf))
        down, across = np.nonzero(own)
        for axis, at in enumerate((down + top, across)):
            places[axis] += np.bincount(own[down, across], at, minlength=count + 1)[1:]
    rows_of = []
    for place, number in enumerate(large.tolist()):
        area = int(objects.areas[number])
        box, center = objects.boxes[number].tolist(), (places[:, place] / area).tolist()
        row = _plain(objects, number, area, box, center, common)
        for channel, title in enumerate(titles):
            known = not np.isnan(sums[channel, place])  # no pixel lacks data
            row[f"mean_{title}"] = float(sums[channel, place]) / area if known else None
            row[f"max_{title}"] = float(most[channel, place]) if known else None
        rows_of.append(row)
    return rows_of


def _plain(
    objects: SlideObjects,
    number: int,
    area: int,
    box: Sequence[int],
    center: Sequence[float],
    common: dict[str, Any],
) -> Row:
    """What is known of an object without its outline, under the names of `measure_objects`."""
    dot = Objects(
        np.ones((1, 1), np.uint16), objects.classes[[number]], objects.confidences[[number]]
    )
    row = measure_objects(dot, **common)[0]
    row |= {"object": number + 1, "area": area, "perimeter": None, "eccentricity": None}
    row |= dict(zip(("centroid_y", "centroid_x"), center, strict=True))
    row |= dict(zip(("box_top", "box_left", "box_bottom", "box_right"), box, strict=True))
    size, end = common["pixel_size"], common["unit"] or "unit"
    if f"area_{end}2" in row:
        row[f"area_{end}2"] = area * size["Y"] * size["X"]
        row[f"centroid_y_{end}"], row[f"centroid_x_{end}"] = (
            center[0] * size["Y"],
            center[1] * size["X"],
        )
        row[f"perimeter_{end}"] = None
    return row
