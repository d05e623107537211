"""Masks that are never in memory as a whole, written tile by tile or strip by strip."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import PngImagePlugin

from saccade.data.labelme import CLASSES_KEY
from saccade.data.palette import voc_palette
from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.formats.containers import (
    NODATA,
    NODATA_TAG,
    TIFF_KINDS,
    place_tags,
    tiff_options,
    write_like,
)
from saccade.formats.labels import ClassNames
from saccade.images import Image
from saccade.images.image import ArrayLike
from saccade.images.window import has_value

_TILE = 512


def write_tiled(
    path: str | os.PathLike[str], labels: ArrayLike, image: Image, *, numbers: bool = False
) -> None:
    """Write a mask (H, W) as a BigTIFF of tiles, with the axes, pixel size and place of its image.

    Where a georeferenced image may lack data, its mask does too. The file appears whole or not at
    all. In a container that is no TIFF it is written as a whole, see `write_like`.

    Args:
        path: file to write.
        labels: uint8 or uint16, which is read tile by tile; uint32 where they are numbers.
        image: of `saccade.images.open_image`.
        numbers: of objects, 0 where there is none: no value is left for what lacks data.

    Raises:
        InputError: labels of another size.

    >>> import tifffile
    >>> from saccade.images import open_image
    >>> tifffile.imwrite("a.ome.tif", np.zeros((40, 60)), metadata={"PhysicalSizeX": 0.5})
    >>> write_tiled("mask.tif", np.ones((40, 60), np.uint8), open_image("a.ome.tif"))
    >>> open_image("mask.tif").pixel_size, tifffile.TiffFile("mask.tif").pages[0].is_tiled
    ({'X': 0.5}, True)
    """
    import tifffile

    if image.kind not in TIFF_KINDS and image.kind != "array":
        write_like(path, np.asarray(labels), image)
        return
    if tuple(labels.shape) != image.size:
        raise InputError(f"{path}: labels of shape {labels.shape}, the image has {image.size}")
    tags, code = place_tags(image), None
    if tags and not numbers and (image.nodata is not None or image.array.dtype.kind == "f"):
        code = NODATA if labels.dtype == np.uint8 else 65535
        tags.append((NODATA_TAG, 2, 0, str(code), True))
    options = tiff_options(image, "YX", tags, tiled=True)
    if image.kind == "imagej":  # which writes no tiles; its sizes are those of a plain TIFF
        options = tiff_options(_plain(image), "YX", tags, tiled=True)
    with atomic_write(path) as temporary:
        tifffile.imwrite(
            temporary,
            _tiles(labels, image, code),
            shape=labels.shape,
            dtype=labels.dtype,
            bigtiff=True,
            **options,
        )


def write_large_png(path: str | os.PathLike[str], labels: ArrayLike, names: ClassNames) -> None:
    """Write a mask (H, W) as a palette PNG; of all its numbers there is one copy in memory.

    Args:
        path: file to write.
        labels: uint8.
        names: class names, which it keeps.

    >>> write_large_png("mask.png", np.eye(3, dtype=np.uint8), {1: "cell"})
    >>> Picture.open("mask.png").mode
    'P'
    """
    picture = Picture.fromarray(np.asarray(labels))
    picture.putpalette(voc_palette(256).tobytes())
    text = PngImagePlugin.PngInfo()
    table = dict(names.items() if isinstance(names, dict) else enumerate(names))
    if table:
        lines = [f"{value} {name}" for value, name in table.items()]
        text.add_itxt(CLASSES_KEY, "\n".join(lines))
    with atomic_write(path) as temporary:
        picture.save(temporary, format="PNG", pnginfo=text, compress_level=3)


def _plain(image: Image) -> Image:
    from dataclasses import replace

    micrometers = image.unit == "um"
    size = {axis: one / 1000 for axis, one in image.pixel_size.items()} if micrometers else {}
    return replace(image, kind="tiff", pixel_size=size, unit="mm" if micrometers else "")


def _tiles(labels: ArrayLike, image: Image, code: int | None) -> Iterator[NDArray[Any]]:
    """The tiles, row by row; those at the right and lower end are as large as all others."""
    height, width = labels.shape
    for top in range(0, height, _TILE):
        rows = slice(top, min(top + _TILE, height))
        strip = np.array(labels[rows, slice(0, width)])
        if code is not None:
            known = has_value(image.plane(rows=rows), image.nodata)
            if known is not None:
                strip[~known.any(axis=2)] = code
        for left in range(0, width, _TILE):
            tile = np.zeros((_TILE, _TILE), labels.dtype)
            part = strip[:, left : left + _TILE]
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile
