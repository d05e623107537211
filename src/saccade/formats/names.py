"""The formats of masks by name. It imports little, as the command line's help reads it."""

from collections.abc import Iterable
from dataclasses import dataclass

from saccade.errors import InputError


@dataclass(frozen=True)
class MaskFormat:
    """A format of masks.

    Attributes:
        suffix: what follows the stem; no two are the same, so all can lie together.
        media_type: for HTTP.
        title: for a menu.
        highest: label that it can hold; None: any.
    """

    suffix: str
    media_type: str
    title: str
    highest: int | None = None


MASK_FORMATS: dict[str, MaskFormat] = {
    "png": MaskFormat(".png", "image/png", "Palette PNG", 255),
    "tiff": MaskFormat(".tif", "image/tiff", "16-bit TIFF", 65535),
    "coco": MaskFormat(".coco.json", "application/json", "COCO, run lengths"),
    "coco-polygons": MaskFormat(".polygons.json", "application/json", "COCO, polygons"),
    "labelme": MaskFormat(".json", "application/json", "labelme"),
    "label-studio": MaskFormat(".label-studio.json", "application/json", "Label Studio"),
    "cvat": MaskFormat(".cvat.xml", "application/xml", "CVAT for images"),
}
"""Name -> format. Saccade reads back to the same labels whatever it writes."""

OBJECT_FORMATS: dict[str, MaskFormat] = {
    "yolo": MaskFormat(".txt", "text/plain", "YOLO segmentation"),
    "geojson": MaskFormat(".geojson", "application/geo+json", "GeoJSON"),
    "gpkg": MaskFormat(".gpkg", "application/geopackage+sqlite3", "GeoPackage"),
}
"""Name -> format of what holds objects and no mask; it is written, not read."""

OBJECTS_TOO = ("coco", "coco-polygons", "labelme")
"""Formats of masks that can have an annotation for each object instead of each class."""


def refuse_unfit(labels: Iterable[int], fmt: str) -> None:
    """Raise InputError where a format cannot hold a label; before the work, not after.

    Example:
        >>> refuse_unfit([2, 300], "png")
        Traceback (most recent call last):
        saccade.errors.InputError: label 300 does not fit a palette PNG (0..255); use the format \
tiff (0..65535)
    """
    found = MASK_FORMATS.get(fmt)
    highest = max(labels, default=0)
    if found is not None and found.highest is not None and highest > found.highest:
        title = found.title[0].lower() + found.title[1:]
        other = "tiff (0..65535)" if highest <= 65535 else "coco"
        raise InputError(
            f"label {highest} does not fit a {title} (0..{found.highest}); use the format {other}"
        )
