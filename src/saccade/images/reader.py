"""Image files of every usual kind, as (H, W, 3) uint8."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import check_readable, reading
from saccade.images.header import oriented
from saccade.images.image import Image
from saccade.images.intensities import CALLER, ReadImage, checked_window, rgb_of_values
from saccade.images.opening import is_picture, open_image
from saccade.images.pictures import stored
from saccade.images.projection import to_rgb


def load_image(
    path: str | os.PathLike[str], *, window: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """Read an image file as (H, W, 3) uint8 RGB; `read_image` without its remarks.

    Raises:
        InputError: as `read_image`.

    Example:
        >>> from PIL import Image
        >>> Image.new("L", (640, 480)).save("photo.png")
        >>> load_image("photo.png").shape
        (480, 640, 3)
    """
    return read_image(path, window=window).pixels


def read_image(
    path: str | os.PathLike[str], *, window: tuple[float, float] | None = None
) -> ReadImage:
    """Read an image file (PNG, JPEG, TIFF, BMP, WebP, ...) and say how.

    The EXIF orientation is applied. Grey becomes three equal channels, palettes become
    colours, transparency is composited over white, CMYK is converted. Intensities of more than 8
    bits become what the file says is black and white, else follow the rule of
    `saccade.images.window`. Of several frames, pages or planes the first
    is taken, of several bands those that are colours; both are said in the remarks.

    Args:
        path: of the file.
        window: the values that become black and white; None: what the file or the rule says.

    Raises:
        InputError: the file is missing, a folder, empty, truncated, not an image, or has more
            pixels than `check_pixels` allows.

    Example:
        >>> from PIL import Image
        >>> Image.new("L", (640, 480)).save("photo.png")
        >>> read_image("photo.png").pixels.shape
        (480, 640, 3)
    """
    path = Path(path)
    told = None if window is None else [checked_window(window)]
    try:
        if not is_picture(path):
            return _first_plane(open_image(path), window)
        path = check_readable(path)
        with reading(path, "damaged or truncated image"):
            found = stored(path)
            meaning = found.meaning
            if told is not None:
                meaning = replace(meaning, window=told, said_by=CALLER)
            read = rgb_of_values(found.values, meaning)
            upright = oriented(read.pixels, found.orientation)
            return ReadImage(upright, found.remarks + read.remarks)
    except InputError as error:
        if str(error).startswith("image: "):  # of the numbers, which know no file
            raise InputError(f"{path}: {str(error).removeprefix('image: ')}") from error
        raise


def _first_plane(image: Image, window: tuple[float, float] | None) -> ReadImage:
    """The first slice of what is no picture of its own."""
    pages = image.count("T") * image.count("Z")
    read = to_rgb(image, image.plane(), window=window)
    first = (f"the first of {pages} pages",) if pages > 1 else ()
    return ReadImage(read.pixels, (*image.remarks, *first, *read.remarks))
