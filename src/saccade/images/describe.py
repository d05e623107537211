"""What was understood of an image file, in words and as JSON."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.images.image import Image
from saccade.images.window import Window, window_of

_SIDE = 4096  # of the middle of a large plane, which stands for all of it


@dataclass(frozen=True)
class ShownWindow:
    """Black and white of each channel, and where they come from.

    Attributes:
        pairs: one for all channels, or one for each; () where there is no value.
        origin: "file", "type" (0 to white of the data type) or "values" (the rule of
            `saccade.images.window`).
        sampled: what part of the image was looked at; "" all of it, or none.

    >>> ShownWindow(((0.0, 255.0),), "type").sampled
    ''
    """

    pairs: tuple[tuple[float, float], ...]
    origin: str
    sampled: str = ""


def window_shown(image: Image) -> ShownWindow:
    """The window that an image gets when nobody says another.

    Values are looked at in the middle slice and the first time, of a large one in its middle.

    Raises:
        InputError: the file is damaged there.

    Example:
        >>> window_shown(Image(np.array([[100, 250, 400]], np.uint16), "YX"))
        ShownWindow(pairs=((100.0, 400.0),), origin='values', sampled='')
    """
    if image.window:
        return ShownWindow(image.window, "file")
    dtype = np.dtype(image.array.dtype)
    if dtype.kind == "b":
        return ShownWindow(((0.0, 1.0),), "type")
    bits = dtype.itemsize * 8
    white = image.white or (2**bits - 1 if dtype.kind == "u" and bits <= 16 else None)
    if bits == 8 and white is not None:
        return ShownWindow(((0.0, float(white)),), "type")
    values, sampled = _sample(image)
    groups = [values] if image.colors else np.split(values, values.shape[2], axis=2)
    found = [window_of(group, None, image.nodata, white) for group in groups]
    windows = [window or Window(0.0, 0.0, True, 0) for window in found]
    pairs = tuple((window.low, window.high) for window in windows)
    if not any(found):
        pairs = ()
    stretched = any(window.stretched for window in windows)
    return ShownWindow(
        pairs if len(set(pairs)) > 1 else pairs[:1],
        "values" if stretched else "type",
        sampled if stretched else "",
    )


def _sample(image: Image) -> tuple[NDArray[Any], str]:
    z = image.count("Z") // 2
    where = f"slice {z + 1}" if image.count("Z") > 1 else ""
    if image.count("T") > 1:
        where = ", ".join(filter(None, ("time 1", where)))
    rows, columns = (_middle(count) for count in image.size)
    if (rows, columns) != (slice(0, image.size[0]), slice(0, image.size[1])):
        middle = f"the middle {columns.stop - columns.start} x {rows.stop - rows.start} pixels"
        where = ", ".join(filter(None, (where, middle)))
    return image.plane(z=z, rows=rows, columns=columns), where


def _middle(count: int) -> slice:
    start = max(0, (count - _SIDE) // 2)
    return slice(start, min(count, start + _SIDE))


def image_document(image: Image) -> dict[str, Any]:
    """What is known of an image, as JSON has it.

    Raises:
        InputError: the file is damaged.

    Example:
        >>> found = image_document(Image(np.zeros((5, 40, 60), np.uint8), "ZYX", unit="um"))
        >>> found["width"], found["height"], found["pages"], found["window"]
        (60, 40, 5, [[0.0, 255.0]])
    """
    window = window_shown(image)
    place = image.georeference
    return {
        "file": None if image.source is None else str(image.source),
        "kind": image.kind,
        "width": image.size[1],
        "height": image.size[0],
        "axes": image.axes,
        "shape": [int(count) for count in image.array.shape],
        "channels": list(image.channels),
        "colors": image.colors,
        "dtype": np.dtype(image.array.dtype).name,
        "window": [list(pair) for pair in window.pairs],
        "window_from": window.origin,
        "window_of": window.sampled,
        "nodata": image.nodata,
        "pixel_size": dict(image.pixel_size),
        "unit": image.unit,
        "georeference": None
        if place is None
        else {"crs": place.crs, "transform": list(place.transform)},
        "pages": image.count("T") * image.count("Z"),
        "levels": [[int(count) for count in level.shape] for level in image.levels],
        "remarks": list(image.remarks),
    }
