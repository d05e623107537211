"""OME-Zarr (OME-NGFF 0.1 to 0.5), of which chunks are read as they are needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saccade.errors import InputError
from saccade.files import reading
from saccade.images.axes import guessed_axes, plain_axes
from saccade.images.extras import require_module
from saccade.images.image import Image
from saccade.images.lazy import CheckedArray
from saccade.images.tiff_words import plain_unit

MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
"""A folder with one of these files is a Zarr group or array."""

_UNITS = {"micrometer": "um", "nanometer": "nm", "millimeter": "mm", "meter": "m"}
_LETTERS = {letter.lower(): letter for letter in "TCZYX"} | {
    "time": "T", "channel": "C", "depth": "Z", "height": "Y", "width": "X",
}  # fmt: skip
_CHANNELS_BY_DEFAULT = "tczyx"  # before version 0.3 the axes were always these


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr group or array."""
    return path.is_dir() and any((path / mark).is_file() for mark in MARKS)


def open_zarr(path: Path, *, series: int | None = None, axes: str | None = None) -> Image:
    """Open an image of a Zarr folder; only its metadata is read.

    Args:
        path: folder of the group that has the image, or of a plain array.
        series: index of one of several images of a group, or None.
        axes: a letter for each dimension.

    Raises:
        InputError: zarr is not installed, there is no image, or its metadata makes no sense.
    """
    zarr = require_module(path, "OME-Zarr", "zarr")
    with reading(path, "OME-Zarr that cannot be read"):
        node = zarr.open(str(path), mode="r")
        if isinstance(node, zarr.Array):
            letters, remarks = _letters(path, axes, node.shape)
            return Image(
                CheckedArray(node, path), letters, remarks=remarks, source=path, kind="zarr"
            )
        node, remarks = _image_group(path, node, series)
        said = _said(node)
        scales = said["multiscales"]
        scale = scales[0]
        arrays = [CheckedArray(node[entry["path"]], path) for entry in scale["datasets"]]
        names, units, assumed = _axes_of(path, scale, len(arrays[0].shape), told=axes is not None)
        letters, _ = plain_axes(path, axes or names, arrays[0].shape, told=axes is not None)
        sizes, unit = _pixel_size(scale, names, units)
        channels, window = _channels(said.get("omero"))
        return Image(
            arrays[0],
            letters,
            channels=channels if "C" in letters else (),
            pixel_size=sizes,
            unit=unit,
            window=window,
            levels=tuple(arrays[1:]),
            remarks=(*remarks, *assumed),
            source=path,
            kind="ome-zarr",
            metadata={"multiscales": scales, "omero": said.get("omero")},
        )


def _letters(path: Path, axes: str | None, shape: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
    if axes is not None:
        return plain_axes(path, axes, shape, told=True)
    return guessed_axes(path, shape)


def _said(group: Any) -> dict[str, Any]:
    found = dict(group.attrs)
    return dict(found.get("ome", found))


def _image_group(path: Path, group: Any, series: int | None) -> tuple[Any, tuple[str, ...]]:
    """The group that has the image: itself, or one of those that bioformats2raw writes."""
    if "multiscales" in _said(group):
        if series:
            raise InputError(f"{path}: series {series}, expected 0, the only one")
        return group, ()
    inner = sorted((name for name, _ in group.groups() if name.isdecimal()), key=int)
    inner = [name for name in inner if "multiscales" in _said(group[name])]
    if not inner:
        raise InputError(f"{path}: a Zarr group without an image, expected 'multiscales' metadata")
    if series is not None and not 0 <= series < len(inner):
        raise InputError(f"{path}: series {series}, expected 0 to {len(inner) - 1}")
    several = series is None and len(inner) > 1
    return group[inner[series or 0]], (f"the first of {len(inner)} series",) if several else ()


def _axes_of(
    path: Path, scale: Mapping[str, Any], count: int, *, told: bool
) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """The letters of the axes, the unit of each that has one, and remarks.

    Raises:
        InputError: names of axes that are none of ours, unless the caller has told them.
    """
    axes = scale.get("axes")
    if axes is None:
        letters = _CHANNELS_BY_DEFAULT[-count:].upper()
        old = str(scale.get("version", "")) in ("0.1", "0.2")
        return letters, {}, () if old or told else (f"it names no axes, {letters} were assumed",)
    named = [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]
    names = [str(axis["name"]).lower() for axis in named]
    unknown = [name for name in names if name not in _LETTERS]
    if unknown and not told:
        raise InputError(
            f"{path}: axis '{unknown[0]}' among {', '.join(names)}, expected t, c, z, y and x"
        )
    letters = "".join(_LETTERS.get(name, "?") for name in names)
    units = {
        letter: _UNITS.get(axis["unit"], plain_unit(axis["unit"]))
        for letter, axis in zip(letters, named, strict=True)
        if axis.get("unit")
    }
    return letters, units, ()


def _pixel_size(
    scale: Mapping[str, Any], letters: str, units: Mapping[str, str]
) -> tuple[dict[str, float], str]:
    factors = [1.0] * len(letters)
    steps = [*scale["datasets"][0].get("coordinateTransformations", ())]
    for step in (*steps, *scale.get("coordinateTransformations", ())):
        if step.get("type") == "scale" and "scale" in step:
            factors = [a * float(b) for a, b in zip(factors, step["scale"], strict=True)]
    unit = units.get("X", "")
    found = {
        letter: factor
        for letter, factor in zip(letters, factors, strict=True)
        if letter in "ZYX" and units.get(letter, "") == unit
    }
    return (found if unit or any(size != 1 for size in found.values()) else {}), unit


def _channels(omero: Any) -> tuple[tuple[str, ...], tuple[tuple[float, float], ...]]:
    """Names and windows; a window that any channel lacks, or of no width, counts for none."""
    channels = (omero or {}).get("channels") or []
    names = tuple(str(channel.get("label", "")) for channel in channels)
    found = [channel.get("window") or {} for channel in channels]
    if not all("start" in window and "end" in window for window in found):
        return names, ()
    window = tuple((float(one["start"]), float(one["end"])) for one in found)
    return names, window if all(low < high for low, high in window) else ()
