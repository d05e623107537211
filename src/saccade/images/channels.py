"""Images whose channels are not red, green and blue: which are taken, and what stands for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import check_readable, reading
from saccade.images.bands import choose_bands
from saccade.images.components import MOST_COMPONENTS, Basis, fit_basis
from saccade.images.image import Image
from saccade.images.intensities import (
    Meaning,
    ReadImage,
    checked_window,
    read_array,
    rgb_of_values,
)
from saccade.images.opening import is_picture, open_image
from saccade.images.projection import to_rgb
from saccade.images.reader import read_image
from saccade.images.tiff import RGB, is_tiff, tiff_info

_COLOR_COUNTS = (1, 3)
_MOST_SHOWN = 8


def read_any(
    image: object,
    *,
    channels: Sequence[int | str] | None = None,
    window: tuple[float, float] | None = None,
) -> ReadImage:
    """Read an array or an `Image` of any number of channels.

    One channel is grey, three are red, green and blue, four of an array are RGBA, unless
    `channels` says that they are four of a kind. All others keep their intensities:
    `ReadImage.components` has them, and `ReadImage.pixels` colors that stand for them.

    Args:
        image: (H, W), (H, W, C) numbers, or an `Image`, of which the first plane is read.
        channels: which ones, as indices from 0 or as names of an `Image`; None: all.
        window: the values that become black and white; None: what the image says, else the rule
            of `saccade.images.window`.

    Raises:
        InputError: another shape, no numbers, or no such channel.

    Example:
        >>> stains = np.random.default_rng(0).integers(0, 4096, (40, 60, 5), dtype=np.uint16)
        >>> read = read_any(stains)
        >>> read.pixels.shape, read.components.shape
        ((40, 60, 3), (40, 60, 5))
        >>> read_any(stains, channels=[3]).components is None
        True
    """
    if isinstance(image, Image):
        return read_plane(image, channels=channels, window=window)
    array: Any = image if isinstance(image, np.ma.MaskedArray) else np.asarray(image)
    many = array.ndim == 3 and array.shape[2] not in (1, 3, 4)
    if not (many or (channels is not None and array.ndim == 3)):
        if channels is not None:
            choose_channels(channels, [""])
        return read_array(image, window=window)
    return read_plane(image_of_array(array), channels=channels, window=window)


def image_of_array(image: Any) -> Image:
    """An array (H, W) or (H, W, C) as an `Image`; what is masked becomes NaN.

    Raises:
        InputError: another shape.

    Example:
        >>> image_of_array(np.zeros((40, 60, 5))).axes
        'YXC'
    """
    array: Any = image if isinstance(image, np.ma.MaskedArray) else np.asarray(image)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.size == 0 or array.shape[2] >= min(array.shape[:2]):
        raise InputError(f"image: shape {array.shape}, expected (H, W, C) with channels last")
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    return Image(array, "YXC")


def read_any_file(
    path: str | os.PathLike[str],
    *,
    channels: Sequence[int | str] | None = None,
    window: tuple[float, float] | None = None,
) -> ReadImage:
    """Read an image file with all of its channels; `read_image` where they are colors.

    Args:
        path: of the file.
        channels: which ones, as indices from 0 or as the names that the file gives them, see
            `choose_channels`.
        window: as in `read_any`.

    Raises:
        InputError: as `read_image`, or no such channel.

    Example:
        >>> import tifffile
        >>> bands = np.random.default_rng(0).integers(0, 256, (40, 60, 4), dtype=np.uint8)
        >>> tifffile.imwrite("bands.tif", bands, photometric="rgb", extrasamples=[0])
        >>> read_any_file("bands.tif").components.shape  # near infrared is no transparency
        (40, 60, 4)
    """
    many = many_channels(Path(path))
    if many is None and channels is None:
        return read_image(path, window=window)
    image = many or open_image(path)
    with reading(path, "damaged or truncated image"):
        read = read_plane(image, channels=channels, window=window)
    planes = image.count("T") * image.count("Z")
    first = (f"the first of {planes} pages",) if planes > 1 else ()
    return replace(read, remarks=(*image.remarks, *first, *read.remarks))


def read_plane(
    image: Image,
    *,
    t: int = 0,
    z: int = 0,
    channels: Sequence[int | str] | None = None,
    window: tuple[float, float] | None = None,
) -> ReadImage:
    """Read a plane of an `Image`: grey, colors, or the intensities of all channels."""
    where = image.source or "image"
    values = image.plane(t=t, z=z)
    chosen = choose_channels(channels, image.channels or [""], where)
    if channels is None and len(chosen) in (2, 4) and has_alpha(image):
        told = None if window is None else [checked_window(window)]
        meaning = Meaning(alpha=values[..., -1], nodata=image.nodata, window=told)
        return rgb_of_values(np.ascontiguousarray(values[..., :-1]), meaning)
    if len(chosen) in _COLOR_COUNTS:
        return to_rgb(image, values, channels=chosen, window=window)
    told = told_windows(image, chosen, window)
    values = checked_numbers(values[..., chosen], where)
    basis = fit_basis([values], window=told, nodata=image.nodata)
    return read_with(basis, values, remarks=said(len(chosen), basis))


def told_windows(
    image: Image, chosen: Sequence[int], window: tuple[float, float] | None
) -> list[tuple[float, float]]:
    """Black and white of the chosen channels, where the caller or the file says so."""
    if window is not None:
        return [checked_window(window)]
    return [image.window[i % len(image.window)] for i in chosen] if image.window else []


def has_alpha(image: Image) -> bool:
    """Whether the last channel of colors is transparency; a TIFF says so, or it is a band."""
    if not image.colors:
        return False
    if image.source is None or image.source.is_dir() or not is_tiff(image.source):
        return True
    info = tiff_info(image.source)
    return info is not None and choose_bands(info.count, info.extras, rgb=True).alpha is not None


def read_with(basis: Basis, values: NDArray[Any], remarks: tuple[str, ...] = ()) -> ReadImage:
    """Numbers (H, W, C) as components and the colors that stand for them."""
    components = basis.components(values)
    return ReadImage(basis.colors(components), remarks, components)


def said(count: int, basis: Basis) -> tuple[str, ...]:
    """One line on what becomes of so many channels."""
    parts = basis.matrix.shape[1]
    how = f"{count} channels"
    if count > MOST_COMPONENTS:
        how += f" as {parts} components of least noise"
    shown = "the first three components" if parts > 2 else "components"
    return (f"{how}; features see {shown} as colors",)


def checked_numbers(values: NDArray[Any], where: object = "image") -> NDArray[Any]:
    """Numbers in this machine's byte order.

    Raises:
        InputError: they are no real numbers.
    """
    if values.dtype.kind not in "buif":
        raise InputError(f"{where}: data type {values.dtype}, expected integers or floats")
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def choose_channels(
    wanted: Sequence[int | str] | None, names: Sequence[str], where: object = "image"
) -> list[int]:
    """Indices of channels by index or name, each once.

    Args:
        wanted: indices from 0, names, or, as text, numbers from 1; None for all.
        names: of the channels there are, "" where one has none.
        where: the file, for messages.

    Raises:
        InputError: there is no such channel, one is named twice, or none is.

    Example:
        >>> choose_channels([2, "DAPI", "2"], ["DAPI", "GFP", ""])
        [2, 0, 1]
    """
    if wanted is None:
        return list(range(len(names)))
    chosen = [_index(one, list(names), where) for one in wanted]
    if not chosen or len(set(chosen)) < len(chosen):
        raise InputError(f"{where}: channels {list(wanted)}, expected some, each once")
    return chosen


def _index(wanted: int | str, names: list[str], where: object) -> int:
    index = wanted
    if isinstance(wanted, str):
        number = int(wanted) - 1 if wanted.isdecimal() else -1
        index = names.index(wanted) if wanted in names and wanted else number
    if index in range(len(names)):
        return int(index)
    first = int(isinstance(wanted, str))
    named = [name for name in names if name]
    shown = ", ".join(named[:_MOST_SHOWN]) + (", ..." if len(named) > _MOST_SHOWN else "")
    last = len(names) - 1 + first
    numbers = f"{first} to {last}" if len(names) > 1 else f"{first}, the only one"
    what = f"channel {wanted}, expected {numbers}" + (f" or {shown}" if named else "")
    raise InputError(f"{where}: {what}")


def many_channels(path: Path) -> Image | None:
    """The image, where its file has other channels than grey, colors and transparency."""
    if not is_picture(path):
        image = open_image(path)
        return image if image.count("C") not in _COLOR_COUNTS else None
    if not is_tiff(check_readable(path)):
        return None
    info = tiff_info(path)
    if info is None or not info.numbers:
        return None
    bands = choose_bands(info.count, info.extras, rgb=info.photometric == RGB)
    kept = [i for i in range(info.count) if i != bands.alpha]
    if info.count > 1 and len(kept) in _COLOR_COUNTS:
        return None
    if info.count == 1 and info.pages == 1:
        return None
    try:
        image = open_image(path)
    except InputError:  # groups of pages of which `read_image` takes the first
        return None
    if image.count("C") < 2:
        return None
    return replace(image, colors=False) if bands.alpha is None else _without(image, kept)


def _without(image: Image, kept: list[int]) -> Image:
    """An image of some channels in memory."""
    window = tuple(image.window[i] for i in kept) if len(image.window) > 1 else image.window
    plane = image.plane()[..., kept]
    return replace(
        image,
        array=plane,
        axes="YXC",
        channels=tuple(image.channels[i] for i in kept),
        window=window,
        levels=(),
        colors=False,
    )
