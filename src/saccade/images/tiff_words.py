"""What ImageJ, OME-XML, GDAL and the plain tags of a TIFF say besides its numbers."""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from saccade.images.image import Georeference

_RESOLUTION_X, _RESOLUTION_Y, _RESOLUTION_UNIT = 282, 283, 296
_SCALE, _TIEPOINT, _TRANSFORM, _KEYS = 33550, 33922, 34264, 34735
_MODEL, _RASTER, _GEOGRAPHIC, _PROJECTED, _IS_POINT = 1024, 1025, 2048, 3072, 2
_USER_DEFINED = 32767
_UNITS = {
    "\u00b5m": "um", "\u03bcm": "um", "micron": "um", "microns": "um", "micrometer": "um",
    "micrometre": "um", "pixel": "", "pixels": "", "inch": "in",
    "millimeter": "mm", "meter": "m", "metre": "m", "nanometer": "nm", "centimeter": "cm",
}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """What a file says of its image; the fields are those of `Image`, remarks on damages too.

    >>> Words(unit="um").channels
    ()
    """

    channels: tuple[str, ...] = ()
    pixel_size: dict[str, float] = field(default_factory=dict)
    unit: str = ""
    window: tuple[tuple[float, float], ...] = ()
    white: int | None = None
    remarks: tuple[str, ...] = ()


def plain_unit(unit: str) -> str:
    """The name of a unit as `Image.unit` has it.

    Example:
        >>> plain_unit("micron"), plain_unit("mm")
        ('um', 'mm')
    """
    unit = unit.strip(" \0")
    return _UNITS.get(unit.lower(), unit)


def words_of(tiff: Any, page: Any, series: int = 0) -> Words:
    """What an opened `tifffile.TiffFile` says of one of its series; a remark where it is damaged.

    Args:
        tiff: the opened file.
        page: first page of the series.
        series: its index.
    """
    try:
        if tiff.is_ome:
            return ome_words(tiff.ome_metadata, series)
        if tiff.is_imagej:
            return _imagej_words(tiff.imagej_metadata or {}, page)
    except (ElementTree.ParseError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return Words(remarks=("its description is damaged: pixel size and channels are unknown",))
    return _resolution(page)


def _imagej_words(said: dict[str, Any], page: Any) -> Words:
    unit = plain_unit(str(said.get("unit", "")))
    size = {axis: 1 / per for axis, per in _per_unit(page).items()}
    if said.get("spacing"):
        size["Z"] = abs(float(said["spacing"]))
    ranges = [float(value) for value in said.get("Ranges") or ()]
    if not ranges and "min" in said and "max" in said:
        ranges = [float(said["min"]), float(said["max"])]
    pairs = zip(ranges[::2], ranges[1::2], strict=False)
    window = tuple((low, high) for low, high in pairs)
    if any(low >= high for low, high in window):
        window = ()
    return Words((), size if unit else {}, unit, window)


def _resolution(page: Any) -> Words:
    """Pixels per centimetre, as microscopes write them; those per inch are of printing."""
    unit = page.tags.valueof(_RESOLUTION_UNIT, default=1)
    if int(unit) != 3:
        return Words()
    return Words((), {axis: 10 / per for axis, per in _per_unit(page).items()}, "mm")


def _per_unit(page: Any) -> dict[str, float]:
    found = {}
    for axis, tag in (("Y", _RESOLUTION_Y), ("X", _RESOLUTION_X)):
        value = page.tags.valueof(tag, default=None)
        if isinstance(value, tuple) and len(value) == 2 and value[0] and value[1]:
            found[axis] = value[0] / value[1]
    return found


def ome_words(xml: str, series: int = 0) -> Words:
    """What OME-XML says of one of its images.

    Raises:
        ParseError or ValueError: it is damaged.

    Example:
        >>> words = ome_words('<OME><Image><Pixels PhysicalSizeX=".5" SignificantBits="12">'
        ...     '<Channel Name="DAPI"/></Pixels></Image></OME>')
        >>> words.channels, words.pixel_size, words.unit, words.white
        (('DAPI',), {'X': 0.5}, 'um', 4095)
    """
    if re.search(r"<!\s*(ENTITY|DOCTYPE)", xml):  # no such file needs one; attacks do
        raise ValueError("a document type or entities")
    root = ElementTree.fromstring(xml)
    images = [element for element in root if _name(element) == "Image"]
    pixels = next(element for element in images[series] if _name(element) == "Pixels")
    sizes, units = {}, {}
    for axis in "ZYX":
        if value := pixels.get(f"PhysicalSize{axis}"):
            sizes[axis] = float(value)
            units[axis] = plain_unit(pixels.get(f"PhysicalSize{axis}Unit", "um"))
    unit = units.get("X") or units.get("Y") or units.get("Z") or ""
    sizes = {axis: size for axis, size in sizes.items() if size > 0 and units[axis] == unit}
    channels: list[str] = []
    for element in pixels:
        if _name(element) == "Channel":
            samples = int(element.get("SamplesPerPixel", "1"))
            channels += [element.get("Name", "") if samples == 1 else ""] * samples
    bits = int(pixels.get("SignificantBits", "0"))
    whole = pixels.get("Type", "uint").startswith("uint")
    white = 2**bits - 1 if whole and 0 < bits < 16 else None
    return Words(tuple(channels), sizes, unit if sizes else "", (), white)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def georeference_of(page: Any) -> tuple[Georeference | None, tuple[str, ...]]:
    """The place of a GeoTIFF on the earth, from its tags, and a remark where they are damaged."""
    try:
        transform = _transform(page)
        keys = page.tags.valueof(_KEYS, default=())
        known = {keys[i]: keys[i + 3] for i in range(4, len(keys) - 3, 4) if keys[i + 1] == 0}
        if transform is None:
            return None, ()
        code = known.get(_PROJECTED) or known.get(_GEOGRAPHIC) or 0
        crs = f"EPSG:{code}" if 0 < code < _USER_DEFINED else ""
        if known.get(_RASTER) == _IS_POINT:  # the transform is of pixel centres
            a, b, c, d, e, f = transform
            transform = a, b, c - (a + b) / 2, d, e, f - (d + e) / 2
        return Georeference(crs, transform), ()
    except (TypeError, ValueError, IndexError, AttributeError):
        return None, ("its GeoTIFF tags are damaged: its place is unknown",)


def _transform(page: Any) -> tuple[float, float, float, float, float, float] | None:
    matrix = page.tags.valueof(_TRANSFORM, default=None)
    if matrix is not None and len(matrix) >= 8:
        a, b, _, c, d, e, _, f = (float(value) for value in matrix[:8])
        return a, b, c, d, e, f
    scale = page.tags.valueof(_SCALE, default=None)
    tie = page.tags.valueof(_TIEPOINT, default=None)
    if scale is None or tie is None or len(scale) < 2 or len(tie) < 6:
        return None
    x, y, _, east, north = (float(value) for value in tie[:5])
    wide, high = float(scale[0]), float(scale[1])
    return wide, 0.0, east - x * wide, 0.0, -high, north + y * high
