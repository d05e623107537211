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

_PIXELS = {
    2: ("area", "centroid", "bbox", "perimeter", "eccentricity"),
    3: ("area", "centroid", "bbox"),
}
_WHOLE = ("area", "volume", "box_")
_NAMES_3D = {
    "area": "volume",
    "centroid-0": "centroid_z",
    "centroid-1": "centroid_y",
    "centroid-2": "centroid_x",
    "bbox-0": "box_front",
    "bbox-1": "box_top",
    "bbox-2": "box_left",
    "bbox-3": "box_back",
    "bbox-4": "box_bottom",
    "bbox-5": "box_right",
}
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
        image: (H, W) or (H, W, C) intensities, whose mean and maximum are measured; (Z, H, W, C)
            of objects in a stack; None: none. One that is not in memory is indexed by channel.
        channels: names of the C channels; those without a name are called by their number.
        names: class value -> name.
        pixel_size: size of a pixel along "Y" and "X", and "Z" in a stack, in `unit`; empty or
            None: not known.
        unit: of `pixel_size`, such as "um".
        file: name of the image.
        plane: number of the plane in a stack, None for an image of one plane, and for objects that
            go through slices.

    Returns:
        Rows with file, slice, object (its number in `Objects.labels`), class, class_name,
        mean_confidence; area, centroid_y, centroid_x, box_top, box_left, box_bottom, box_right
        (exclusive), perimeter in pixels; eccentricity in [0, 1]; mean_NAME and max_NAME of each
        channel; and where the pixel size is known area_UNIT2, centroid_y_UNIT, centroid_x_UNIT and
        perimeter_UNIT (None where pixels are not square). What is not known is None. Objects in a
        stack have a volume in voxels, centroid_z, box_front and box_back (exclusive), volume_UNIT3
        and centroid_z_UNIT, no perimeter and no eccentricity; their slice is the first.

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
    spacing = _spacing(pixel_size, objects.labels.ndim)
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
        if plane is None:
            row["slice"] = row.get("box_front")
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
        area_UNIT2 where the pixel size is known; volume and volume_UNIT3 in a stack.

    Raises:
        InputError: a pixel size that is no number above 0.

    Example:
        >>> from saccade.objects import find_objects
        >>> summarize_objects(find_objects([[0, 1, 0, 1]]), names={1: "cell"})[0]["count"]
        2
    """
    return summarize_areas(
        np.bincount(objects.labels.ravel(), minlength=objects.count + 1)[1:],
        objects.classes,
        objects.labels.shape,
        classes=classes,
        names=names,
        pixel_size=pixel_size,
        unit=unit,
        file=file,
        plane=plane,
    )


def summarize_areas(
    areas: NDArray[np.integer[Any]],
    of: NDArray[np.int32],
    shape: tuple[int, ...],
    *,
    classes: Sequence[int] = (),
    names: Mapping[int, str] | None = None,
    pixel_size: Mapping[str, float] | None = None,
    unit: str = "",
    file: str = "",
    plane: int | None = None,
) -> list[Row]:
    """`summarize_objects`, of the pixels (N,) and classes (N,) of objects in a shape alone."""
    spacing = _spacing(pixel_size, len(shape))
    what, power = ("area", 2) if len(shape) == 2 else ("volume", 3)
    rows = []
    for value in sorted({*map(int, classes), *of.tolist()}):
        own = of == value
        area = int(areas[own].sum())
        row: Row = {"file": file, "slice": plane, "class": value}
        row |= {"class_name": name_of(value, names), "count": int(own.sum()), what: area}
        row["share"] = area / math.prod(shape)
        if spacing is not None:
            row[f"{what}_{_suffix(unit)}{power}"] = area * math.prod(spacing)
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
) -> tuple[Any, list[str]]:
    if image is None:
        return None, []
    array: Any = image if hasattr(image, "shape") else np.asarray(image)
    size = objects.labels.shape
    array = array[..., None] if len(array.shape) == len(size) else array
    if array.shape[:-1] != size:
        wanted = ", ".join(map(str, size))
        raise InputError(f"image: shape {array.shape}, expected ({wanted}, C)")
    count = array.shape[-1]
    if channels and len(channels) != count:
        raise InputError(f"{len(channels)} channel names for {count} channels")
    return array, titles_of(channels, count)


def titles_of(channels: Sequence[str], count: int) -> list[str]:
    """What `count` channels are called in a table: their names, or their numbers.

    >>> titles_of(("", "actin"), 2), titles_of(("a", "a"), 2)
    (['1', 'actin'], ['1', '2'])
    """
    given = list(channels) or [""] * count
    titles = [name or str(number) for number, name in enumerate(given, start=1)]
    if len(set(titles)) < len(titles):
        titles = [str(number) for number in range(1, len(titles) + 1)]
    return titles


def _spacing(pixel_size: Mapping[str, float] | None, dims: int) -> tuple[float, ...] | None:
    axes = "ZYX"[-dims:]
    if not pixel_size or not set(axes) <= set(pixel_size):
        return None
    size = tuple(float(pixel_size[axis]) for axis in axes)
    if not all(0 < side < float("inf") for side in size):
        told = " x ".join(map(str, size))
        raise InputError(f"pixel_size {told}: expected numbers above 0")
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


def _in_pixels(objects: Objects, spacing: tuple[float, ...] | None) -> dict[str, list[Any]]:
    dims = objects.labels.ndim
    table = _table(objects, _PIXELS[dims])
    names = _NAMES if dims == 2 else _NAMES_3D
    columns = {names[name]: column for name, column in table.items()}
    if dims == 2 and spacing is not None and spacing[0] != spacing[1] and columns:
        columns |= _table(objects, ("eccentricity",), spacing=spacing)
    for name in [name for name in columns if name.startswith(_WHOLE)]:
        columns[name] = [int(number) for number in columns[name]]
    return columns


def _in_unit(
    objects: Objects, spacing: tuple[float, ...] | None, unit: str
) -> dict[str, list[Any]]:
    if spacing is None or not objects.count:
        return {}
    if len(spacing) == 3:
        table = _table(objects, ("area", "centroid"), spacing=spacing)
        places = {f"{_NAMES_3D[f'centroid-{k}']}_{_suffix(unit)}": k for k in range(3)}
        return {f"volume_{_suffix(unit)}3": table["area"]} | {
            name: table[f"centroid-{k}"] for name, k in places.items()
        }
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


def _intensities(objects: Objects, image: Any, titles: Sequence[str]) -> dict[str, list[Any]]:
    if image is None:
        return {}
    wanted = ("intensity_mean", "intensity_max")
    columns: dict[str, list[Any]] = {}
    for channel, title in enumerate(titles):  # one at a time: no copy of forty channels
        table = _table(objects, wanted, intensity_image=image[..., channel])
        columns |= {f"mean_{title}": table.get("intensity_mean", [])}
        columns |= {f"max_{title}": table.get("intensity_max", [])}
    return columns
