"""The formats of masks by name. It imports nothing, as the command line's help reads it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MaskFormat:
    """A format of masks.

    Attributes:
        suffix: what follows the stem; no two are the same, so all can lie together.
        media_type: for HTTP.
        title: for a menu.
    """

    suffix: str
    media_type: str
    title: str


MASK_FORMATS: dict[str, MaskFormat] = {
    "png": MaskFormat(".png", "image/png", "Palette PNG"),
    "tiff": MaskFormat(".tif", "image/tiff", "16-bit TIFF"),
    "coco": MaskFormat(".coco.json", "application/json", "COCO, run lengths"),
    "coco-polygons": MaskFormat(".polygons.json", "application/json", "COCO, polygons"),
    "labelme": MaskFormat(".json", "application/json", "labelme"),
    "label-studio": MaskFormat(".label-studio.json", "application/json", "Label Studio"),
    "cvat": MaskFormat(".cvat.xml", "application/xml", "CVAT for images"),
}
"""Name -> format. Saccade reads back to the same labels whatever it writes."""
