"""Image files of every usual kind, as (H, W, 3) uint8."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from saccade.errors import InputError
from saccade.files import check_readable, one_line, reading
from saccade.images.header import (
    check_pixels,
    exif_orientation,
    is_16_bit_png,
    open_unlimited,
    oriented,
)
from saccade.images.intensities import as_rgb, stretch_to_unit
from saccade.images.tiff import bits_per_sample, is_tiff, read_tiff


@dataclass(frozen=True)
class ReadImage:
    """An image file as it was read.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        remarks: what was assumed, converted or left out, one line each, without the file's name.

    >>> ReadImage(np.zeros((2, 3, 3), np.uint8), ("the first of 5 pages",)).remarks
    ('the first of 5 pages',)
    """

    pixels: NDArray[np.uint8]
    remarks: tuple[str, ...] = ()


def load_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read an image file as (H, W, 3) uint8 RGB; `read_image` without its remarks.

    Raises:
        InputError: as `read_image`.

    Example:
        >>> from PIL import Image
        >>> Image.new("L", (640, 480)).save("photo.png")
        >>> load_image("photo.png").shape
        (480, 640, 3)
    """
    return read_image(path).pixels


def read_image(path: str | os.PathLike[str]) -> ReadImage:
    """Read an image file (PNG, JPEG, TIFF, BMP, WebP, ...) and say how.

    The EXIF orientation is applied. Grey becomes three equal channels, palettes become
    colours, transparency is composited over white, CMYK is converted. 16 bits per channel are
    scaled by 1 / 257 and rounded. Float images in [0, 1] are scaled by 255; float images that
    leave [0, 1] and 32-bit integer images have no white point and are stretched from their
    minimum to their maximum. Of several frames or pages the first is taken.

    Raises:
        InputError: the file is missing, a folder, empty, truncated, not an image, or has more
            than `MAX_PIXELS` pixels.

    Example:
        >>> from PIL import Image
        >>> Image.new("L", (640, 480)).save("photo.png")
        >>> read_image("photo.png").pixels.shape
        (480, 640, 3)
    """
    path = check_readable(path)
    return ReadImage(_read_pixels(path))


def _read_pixels(path: Path) -> NDArray[np.uint8]:
    try:
        image = decode_image(path)
    except _UnknownFormatError:
        if not is_tiff(path):
            raise
        return _as_rgb_of_file(path, read_tiff(path))
    if bits_per_sample(image)[:3] == (16, 16, 16):
        return _as_rgb_of_file(path, read_tiff(path, fallback=image))
    return _as_rgb_of_file(path, oriented(_pixels(path, image), exif_orientation(image)))


def decode_image(
    path: str | os.PathLike[str],
    *,
    rawmode: str | None = None,
    shape: tuple[int, int] | None = None,
) -> Image.Image:
    """Decode the first frame of an image file and leave it in the file's own mode.

    Nothing is converted and no EXIF orientation applied (TIFF excepted, where Pillow does it):
    label images need their values as they are. `rawmode` replaces Pillow's name of the file's
    pixel layout. With `shape`, (H, W), an image of another size is refused before it is decoded;
    one that lies on its side may still be turned by its EXIF orientation.

    Raises:
        InputError: as `load_image`, or another size than `shape`.
    """
    path = check_readable(path)
    try:
        with open(path, "rb") as file, open_unlimited(file) as image:
            size = image.height, image.width
            lies = shape is not None and size == (shape[1], shape[0])
            check_pixels(path, *size, None if lies else shape)
            if rawmode is not None and isinstance(image, ImageFile.ImageFile):
                image.tile = [tile._replace(args=rawmode) for tile in image.tile]
            image.load()
            return image
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise _UnknownFormatError(
            f"{path}: not an image that can be read (expected PNG, JPEG, TIFF, BMP, WebP, ...)"
        ) from error
    except Exception as error:  # decoders raise nearly anything on a damaged file
        raise InputError(f"{path}: damaged or truncated image ({one_line(error)})") from error


def converted(path: str | os.PathLike[str], image: Image.Image, mode: str) -> Image.Image:
    """A decoded image in another mode of Pillow.

    Raises:
        InputError: its palette or its transparency is damaged.
    """
    with reading(path, "damaged image"):
        return image.convert(mode)


def decoded_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(height, width) that `load_image` would return, after all of the file has been decoded.

    JPEGs are decoded at an eighth of their size, which reads every byte in under half the time.

    Raises:
        InputError: as `load_image`.
    """
    path = check_readable(path)
    try:
        with open(path, "rb") as file, open_unlimited(file) as image:
            check_pixels(path, image.height, image.width)
            width, height = image.size
            if image.format == "JPEG":
                image.draft(None, (1, 1))
            image.load()
            if image.format != "JPEG":  # some formats are turned as they are read
                width, height = image.size
            turned = exif_orientation(image) >= 5
            return (width, height) if turned else (height, width)
    except MemoryError:
        raise
    except Exception:  # it says what is wrong, or reads what Pillow cannot
        height, width = load_image(path).shape[:2]
        return height, width


class _UnknownFormatError(InputError):
    """No decoder of Pillow takes the file."""


def _as_rgb_of_file(path: Path, array: NDArray[Any]) -> NDArray[np.uint8]:
    try:
        return as_rgb(array)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _pixels(path: Path, image: Image.Image) -> NDArray[Any]:
    mode = image.mode
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if mode == "I" and image.format == "PPM":  # Pillow scales every such file to 16 bits
        return np.asarray(image).astype(np.uint16)
    if mode in ("I", "F"):
        return stretch_to_unit(np.asarray(image), always=mode == "I")
    if mode in ("RGB", "RGBA") and is_16_bit_png(path):
        # Pillow keeps the high byte only; read as little-endian, the same file gives the low one.
        low = decode_image(path, rawmode=f"{mode};16L")
        return np.asarray(np.asarray(image, dtype=np.uint16) * 256 + np.asarray(low))
    if image.has_transparency_data:
        return np.asarray(converted(path, image, "RGBA"))
    return np.asarray(image if mode in ("L", "RGB") else converted(path, image, "RGB"))
