"""Objects to files, one annotation each: COCO, labelme, YOLO, GeoJSON and GeoPackage.

Polygons follow the sides of pixels; (0, 0) is the upper left corner of the first pixel. COCO's and
YOLO's have no holes: a seam of no width leads to each. Each reads back to the same pixels.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from saccade.data.labelme import labelme_file
from saccade.errors import InputError, printable
from saccade.files import last_part
from saccade.formats.coco import annotation, document, run_lengths
from saccade.formats.geopackage import geopackage
from saccade.formats.labelme import mask_shape
from saccade.formats.labels import ClassNames, class_names
from saccade.formats.names import OBJECT_FORMATS, OBJECTS_TOO
from saccade.formats.polygons import one_polygon, region_polygons, region_rings
from saccade.formats.rle import Region, encode_regions
from saccade.strict_json import json_text

Crop = tuple[int, int, int, NDArray[np.bool_]]
"""Number of an object, y and x of its box, and its mask (h, w) there."""


def encode_instances(
    instances: ArrayLike,
    values: Sequence[int] | NDArray[np.integer],
    fmt: str,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    background: Collection[int] = (0,),
    image_path: str | os.PathLike[str] = "",
    transform: Sequence[float] | None = None,
    crs: str = "",
) -> bytes:
    r"""Return the objects of an image as the bytes of a file.

    Args:
        instances: (H, W) integers, 0 where there is no object, else its number 1..N.
        values: N class values, of object 1, 2, ...
        fmt: "coco" or "coco-polygons" (an annotation each), "labelme" (a mask shape each), "yolo"
            (a line each: index of the class, then corners as shares of width and height),
            "geojson" or "gpkg" (a feature each, in pixels unless there is a `transform`).
        classes: class values to list where the format has names, even where they do not occur.
        names: class names, where the format has them.
        background: class values that are no objects and have no category.
        image_path: the image; labelme gets it as it is, the others its last part.
        transform: (a, b, c, d, e, f) of a georeference for the last two: x = a column + b row + c,
            y = d column + e row + f.
        crs: coordinate reference system of these, "EPSG:n" or WKT; "" says nothing.

    Raises:
        InputError: an unknown format, no (H, W) of numbers up to N, or a GeoPackage without
            `saccade[science]`.

    Example:
        >>> encode_instances(np.array([[0, 1], [0, 1]]), [1], "yolo")
        b'0 0.5 0 1 0 1 1 0.5 1\n'
    """
    array = np.asarray(instances)
    if array.ndim != 2 or array.dtype.kind not in "ui" or array.size == 0:
        raise InputError(f"instances: {array.dtype} {array.shape}, expected integers (H, W)")
    array = array.astype(np.int32, copy=False)
    if array.min() < 0 or array.max() > len(values):
        raise InputError(f"instances: up to {array.max()}, expected 0..{len(values)}, the objects")
    own = [int(value) for value in values]
    table = class_names(own, classes, names)
    table = {value: name for value, name in table.items() if value not in background}
    path = printable(os.fspath(image_path))
    if fmt in ("coco", "coco-polygons"):
        return _json(_coco(array, own, table, last_part(path), polygons=fmt == "coco-polygons"))
    if fmt == "labelme":
        shapes = [mask_shape(own[n - 1], y, x, mask, table) for n, y, x, mask in _crops(array)]
        return _json(labelme_file(shapes, (array.shape[0], array.shape[1]), path, table.items()))
    if fmt == "yolo":
        return "".join(_yolo_lines(array, own, background)).encode()
    if fmt == "geojson":
        return _json(_geojson(array, own, table, transform) | _crs_member(crs))
    if fmt == "gpkg":
        return geopackage(_geojson(array, own, table, transform), crs)
    raise InputError(
        f"format '{fmt}': expected one of {', '.join((*OBJECTS_TOO, *OBJECT_FORMATS))}"
    )


def yolo_data(names: Mapping[int, str], background: Collection[int] = (0,)) -> str:
    """Return the data.yaml of a folder with images/ and labels/ for YOLO.

    Args:
        names: class value -> name.
        background: class values that are no objects.

    Example:
        >>> print(yolo_data({0: "background", 1: "cell"}), end="")
        train: images
        val: images
        names:
          0: "cell"
    """
    found = {yolo_index(value, background): name for value, name in names.items()}
    known = {index: name for index, name in found.items() if index >= 0}
    lines = [
        f"  {index}: {json_text(known.get(index, f'class {index + 1}'), ensure_ascii=False)}\n"
        for index in range(max(known, default=-1) + 1)
    ]
    # Without "path" the folders are beside this file; "." is wherever the program runs.
    head = "train: images\nval: images\n"
    return head + ("names:\n" + "".join(lines) if lines else "names: {}\n")


def yolo_index(value: int, background: Collection[int] = (0,)) -> int:
    """YOLO counts the classes from 0 and knows no background: -1.

    >>> yolo_index(1), yolo_index(1, background=(3,))
    (0, 1)
    """
    if value in background:
        return -1
    return value - sum(other < value for other in background)


def _crops(instances: NDArray[np.int32]) -> Iterator[Crop]:
    for number, box in enumerate(ndimage.find_objects(instances), start=1):
        if box is not None:
            yield number, box[0].start, box[1].start, instances[box] == number


def _coco(
    instances: NDArray[np.int32],
    values: Sequence[int],
    table: Mapping[int, str],
    file_name: str,
    *,
    polygons: bool,
) -> dict[str, Any]:
    size = (instances.shape[0], instances.shape[1])
    annotations = []
    if polygons:
        for number, y, x, mask in _crops(instances):
            rings = [np.add(ring, (x, y)).ravel().tolist() for ring in region_polygons(mask)]
            box = (x, y, mask.shape[1], mask.shape[0])
            region = Region(np.zeros(0, np.int64), int(mask.sum()), box)
            annotations.append(annotation(number, values[number - 1], region, rings))
    else:
        for number, region in encode_regions(instances).items():
            if number:
                lengths = run_lengths(region, size)
                annotations.append(annotation(number, values[number - 1], region, lengths))
    return document(size, file_name, table, annotations)


def _yolo_lines(
    instances: NDArray[np.int32], values: Sequence[int], background: Collection[int]
) -> Iterator[str]:
    size = np.array([instances.shape[1], instances.shape[0]])
    for number, y, x, mask in _crops(instances):
        index = yolo_index(values[number - 1], background)
        shares = (np.add(one_polygon(mask), (x, y)) / size).ravel()
        yield " ".join([str(index), *(f"{share:.7g}" for share in shares)]) + "\n"


def _geojson(
    instances: NDArray[np.int32],
    values: Sequence[int],
    table: Mapping[int, str],
    transform: Sequence[float] | None,
) -> dict[str, Any]:
    features = []
    for number, y, x, mask in _crops(instances):
        value = values[number - 1]
        parts = [
            [
                _line(np.add(ring, (x, y)), transform, hole=n > 0)
                for n, ring in enumerate((outer, *holes))
            ]
            for outer, holes in region_rings(mask)
        ]
        one = len(parts) == 1
        geometry = {
            "type": "Polygon" if one else "MultiPolygon",
            "coordinates": parts[0] if one else parts,
        }
        properties = {"object": number, "class": value, "class_name": table.get(value, "")}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    return {"type": "FeatureCollection", "features": features}


def _crs_member(crs: str) -> dict[str, Any]:
    """The reference system as GeoJSON said it before RFC 7946, and GDAL and QGIS still read it."""
    if not crs:
        return {}
    code = crs.removeprefix("EPSG:")
    name = f"urn:ogc:def:crs:EPSG::{code}" if code.isdecimal() else crs
    return {"crs": {"type": "name", "properties": {"name": name}}}


def _line(
    ring: NDArray[np.int64], transform: Sequence[float] | None, *, hole: bool
) -> list[list[float]]:
    """A closed line, counterclockwise, and clockwise around holes (RFC 7946)."""
    a, b, c, d, e, f = (1, 0, 0, 0, 1, 0) if transform is None else transform
    x, y = ring[:, 0], ring[:, 1]
    points = np.stack([a * x + b * y + c, d * x + e * y + f], 1)
    ahead = np.roll(points, -1, 0)
    counterclockwise = (points[:, 0] * ahead[:, 1] - points[:, 1] * ahead[:, 0]).sum() > 0
    if counterclockwise == hole:
        points = points[::-1]
    closed: list[list[float]] = np.concatenate([points, points[:1]]).tolist()
    return closed


def _json(content: Any) -> bytes:
    return json_text(content, ensure_ascii=False).encode("utf-8")
