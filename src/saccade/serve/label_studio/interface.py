"""The labelling interface of a Label Studio project, which is XML."""

import re
from xml.etree import ElementTree as ET

from pydantic import BaseModel

from saccade.errors import InputError


class BrushTag(BaseModel):
    """The BrushLabels tag: its name, that of its image, the image's key in tasks, the labels."""

    from_name: str = "tag"
    to_name: str = "image"
    key: str | None = None
    labels: list[str] = []


def read_brush_tag(config: str | None) -> BrushTag:
    """The BrushLabels tag of a labelling interface, which is XML.

    Raises:
        InputError: it is no XML, or has entities.
    """
    if not config:
        return BrushTag()
    if re.search(r"<!\s*(ENTITY|DOCTYPE)", config):
        raise InputError("label_config: a document type or entities, expected Label Studio's XML")
    try:
        root = ET.fromstring(config)
    except (ET.ParseError, ValueError) as error:
        raise InputError("label_config: malformed XML") from error
    brush = root.find(".//BrushLabels")
    if brush is None:
        raise InputError("label_config: has no <BrushLabels>, which masks need")
    to_name = brush.get("toName", "image")
    images = [e for e in root.iter("Image") if e.get("name") == to_name]
    key = (images[0].get("value") or "").removeprefix("$") if images else None
    labels = [label.get("value", "") for label in brush.iter("Label")]
    return BrushTag(
        from_name=brush.get("name", "tag"), to_name=to_name, key=key or None, labels=labels
    )
