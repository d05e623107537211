"""What is measured of each object, and what is summed up of an image.

`skimage.measure.regionprops_table` does the measuring: once in pixels, and once more in the unit
of the file where the size of a pixel is known.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saccade.errors import InputError
from saccade.objects.instances import Objects

Row = dict[str, Any]
"""Column -> text, number or None."""

_PIXELS = ("area", "centroid", "bbox", "perimeter", "eccentricity")
_NAMES = {
    "area": "area",
    "centroid-0": "centroid_y",
    "centroid-1": "centroid_x",
    "bbox-0": "box_top",
    "bbox-1": "box_left",
    "bbox-2": "box_bottom",
    "bbox-3": "box_right",
    "perimeter": "perimeter",
    "eccentricity": "eccentricity",
}


def measure_objects(
    objects: Objects,
    image: ArrayLike | None = None,
    *,
    channels: Sequence[str] = (),
    names: Mapping[int, str] | None = None,
    pixel_size: Mapping[str, float] | None = None,
    unit: str = "",
    file: str = "",
    plane: int | None = None,
) -> list[Row]:
    """Measure each object: one row an object, in their order.

    Args:
        objects: what `find_objects` found.
        image: (H, W) or (H, W, C) intensities, whose mean and maximum are measured; None: none.
        channels: names of the C channels; those without a name are called by their number.
        names: class value -> name.
        pixel_size: size of a pixel along "Y" and "X", in `unit`; empty or None: not known.
        unit: of `pixel_size`, such as "um".
        file: name of the image.
        plane: number of the plane in a stack, None for an image of one plane.

    Returns:
        Rows with file, slice, object (its number in `Objects.labels`), class, class_name,
        mean_confidence; area, centroid_y, centroid_x, box_top, box_left, box_bottom, box_right
        (exclusive), perimeter in pixels; eccentricity in [0, 1]; mean_NAME and max_NAME of each
        channel; and where the pixel size is known area_UNIT2, centroid_y_UNIT, centroid_x_UNIT and
        perimeter_UNIT (None where pixels are not square). What is not known is None.

    Raises:
        InputError: an image of another size, as many names as there are no channels, or a pixel
            size that is no number above 0.

    Example:
        >>> from saccade.objects import find_objects
        >>> found = find_objects([[0, 1, 1], [0, 1, 1]])
        >>> row = measure_objects(found, pixel_size={"Y": 0.5, "X": 0.5}, unit="um")[0]
        >>> row["area"], row["area_um2"], row["centroid_x"]
        (4, 1.0, 1.5)
    """
    intensities, titles = _channels(image, channels, objects)
    spacing = _spacing(pixel_size)
    columns = _in_pixels(objects, spacing) | _in_unit(objects, spacing, unit)
    columns |= _intensities(objects, intensities, titles)
    rows = []
    for number, (value, chance) in enumerate(
        zip(objects.classes.tolist(), objects.confidences.tolist(), strict=True)
    ):
        row: Row = {"file": file, "slice": plane, "object": number + 1, "class": value}
        row["class_name"] = name_of(value, names)
        row["mean_confidence"] = chance
        row |= {name: column[number] for name, column in columns.items()}
        rows.append({name: None if _is_nan(found) else found for name, found in row.items()})
    return rows


def summarize_objects(
    objects: Objects,
    *,
    classes: Sequence[int] = (),
    names: Mapping[int, str] | None = None,
    pixel_size: Mapping[str, float] | None = None,
    unit: str = "",
    file: str = "",
    plane: int | None = None,
) -> list[Row]:
    """Sum up an image: one row a class, with the number of objects and their area.

    Args:
        objects: what `find_objects` found.
        classes: class values that have a row even without an object.
        names: as for `measure_objects`.
        pixel_size: as for `measure_objects`.
        unit: as for `measure_objects`.
        file: name of the image.
        plane: number of the plane in a stack.

    Returns:
        Rows with file, slice, class, class_name, count, area in pixels, share of the image, and
        area_UNIT2 where the pixel size is known.

    Raises:
        InputError: a pixel size that is no number above 0.

    Example:
        >>> from saccade.objects import find_objects
        >>> summarize_objects(find_objects([[0, 1, 0, 1]]), names={1: "cell"})[0]["count"]
        2
    """
    spacing = _spacing(pixel_size)
    areas = np.bincount(objects.labels.ravel(), minlength=objects.count + 1)[1:]
    rows = []
    for value in sorted({*map(int, classes), *objects.classes.tolist()}):
        own = objects.classes == value
        area = int(areas[own].sum())
        row: Row = {"file": file, "slice": plane, "class": value}
        row |= {"class_name": name_of(value, names), "count": int(own.sum()), "area": area}
        row["share"] = area / objects.labels.size
        if spacing is not None:
            row[f"area_{_suffix(unit)}2"] = area * spacing[0] * spacing[1]
        rows.append(row)
    return rows


def name_of(value: int, names: Mapping[int, str] | None) -> str:
    """The name of a class, "class N" where it has none.

    >>> name_of(2, {1: "cell"})
    'class 2'
    """
    return (names or {}).get(value) or ("background" if value == 0 else f"class {value}")


def _is_nan(found: Any) -> bool:
    return isinstance(found, float) and math.isnan(found)


def _channels(
    image: ArrayLike | None, channels: Sequence[str], objects: Objects
) -> tuple[NDArray[Any] | None, list[str]]:
    if image is None:
        return None, []
    array = np.asarray(image)
    array = array[..., None] if array.ndim == 2 else array
    height, width = objects.labels.shape
    if array.ndim != 3 or array.shape[:2] != (height, width):
        raise InputError(f"image: shape {array.shape}, expected ({height}, {width}, C)")
    if channels and len(channels) != array.shape[2]:
        raise InputError(f"{len(channels)} channel names for {array.shape[2]} channels")
    given = list(channels) or [""] * array.shape[2]
    titles = [name or str(number) for number, name in enumerate(given, start=1)]
    if len(set(titles)) < len(titles):
        titles = [str(number) for number in range(1, len(titles) + 1)]
    return array, titles


def _spacing(pixel_size: Mapping[str, float] | None) -> tuple[float, float] | None:
    if not pixel_size or not {"Y", "X"} <= set(pixel_size):
        return None
    size = (float(pixel_size["Y"]), float(pixel_size["X"]))
    if not all(0 < side < float("inf") for side in size):
        raise InputError(f"pixel_size {size[0]} x {size[1]}: expected numbers above 0")
    return size


def _suffix(unit: str) -> str:
    return unit or "unit"


def _table(objects: Objects, properties: Sequence[str], **options: Any) -> dict[str, list[Any]]:
    from skimage import measure

    if not objects.count:
        return {}
    tools: Any = measure  # its functions carry no types
    table = tools.regionprops_table(objects.labels, properties=properties, **options)
    return {name: column.tolist() for name, column in table.items()}


def _in_pixels(objects: Objects, spacing: tuple[float, float] | None) -> dict[str, list[Any]]:
    table = _table(objects, _PIXELS)
    columns = {_NAMES[name]: column for name, column in table.items()}
    if spacing is not None and spacing[0] != spacing[1] and columns:
        columns |= _table(objects, ("eccentricity",), spacing=spacing)
    for name in ("area", "box_top", "box_left", "box_bottom", "box_right"):
        columns |= {name: [int(number) for number in columns[name]]} if columns else {}
    return columns


def _in_unit(
    objects: Objects, spacing: tuple[float, float] | None, unit: str
) -> dict[str, list[Any]]:
    if spacing is None or not objects.count:
        return {}
    square = spacing[0] == spacing[1]  # scikit-image measures no other perimeter
    wanted = ("area", "centroid", "perimeter") if square else ("area", "centroid")
    table = _table(objects, wanted, spacing=spacing)
    end = _suffix(unit)
    return {
        f"area_{end}2": table["area"],
        f"centroid_y_{end}": table["centroid-0"],
        f"centroid_x_{end}": table["centroid-1"],
        f"perimeter_{end}": table.get("perimeter", [None] * objects.count),
    }


def _intensities(
    objects: Objects, image: NDArray[Any] | None, titles: Sequence[str]
) -> dict[str, list[Any]]:
    if image is None:
        return {}
    wanted = ("intensity_mean", "intensity_max")
    columns: dict[str, list[Any]] = {}
    for channel, title in enumerate(titles):  # one at a time: no copy of forty channels
        table = _table(objects, wanted, intensity_image=image[..., channel])
        columns |= {f"mean_{title}": table.get("intensity_mean", [])}
        columns |= {f"max_{title}": table.get("intensity_max", [])}
    return columns
