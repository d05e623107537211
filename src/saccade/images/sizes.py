"""The size of an image from its header, and of one whose every byte was decoded."""

import os
from typing import Any

from saccade.errors import InputError
from saccade.files import check_readable, one_line
from saccade.images.decoding import small_file_pixels
from saccade.images.header import check_pixels, exif_orientation, open_unlimited
from saccade.images.netpbm import pfm_size
from saccade.images.reader import load_image
from saccade.images.tiff import starts_as_tiff, tiff_info


def image_size(path: str | os.PathLike[str], *, upright: bool = True) -> tuple[int, int]:
    """(H, W) of an image, from its header; nothing is decoded.

    Args:
        path: path of the file.
        upright: True for the size after the EXIF orientation is applied, as `load_image` returns
            it; False for the size as it is stored, as `decode_image` returns it.

    Raises:
        InputError: the file is missing, no image, or has too many pixels or none.

    Example:
        >>> from PIL import Image
        >>> Image.new("RGB", (640, 480)).save("photo.png")
        >>> image_size("photo.png")
        (480, 640)
    """
    path = check_readable(path)
    try:
        with open(path, "rb") as file:
            _, size, turned = header_of(file)
            check_pixels(path, *size)
            return size[::-1] if upright and turned() else size
    except (InputError, MemoryError):
        raise
    except Exception as error:  # readers of headers raise nearly anything on a damaged file
        raise InputError(f"{path}: not an image that can be read ({one_line(error)})") from error


def header_of(file: Any) -> tuple[str, tuple[int, int], Any]:
    """What the header of an opened binary file says; nothing is decoded.

    Returns:
        Pillow's name of the format, (H, W) as stored, and a function that tells whether the
        image lies on its side; for that Pillow decodes some PNGs, so check the size before.

    Raises:
        Exception: nearly any, where the file is damaged or no image.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> Image.new("RGB", (6, 4)).save(file := io.BytesIO(), "PNG")
        >>> header_of(file)[:2]
        ('PNG', (4, 6))
    """
    file.seek(0)
    floats = pfm_size(file.read(100))
    if floats is not None:
        return "PPM", floats, lambda: False
    file.seek(0)
    info = tiff_info(file) if starts_as_tiff(file) else None
    file.seek(0)
    if info is not None:
        return "TIFF", (info.height, info.width), lambda: info.orientation >= 5
    image = open_unlimited(file)
    return image.format or "", (image.height, image.width), lambda: exif_orientation(image) >= 5


def decoded_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(height, width) that `load_image` would return, after all of the file has been decoded.

    JPEGs are decoded at an eighth of their size, which reads every byte in under half the time.

    Raises:
        InputError: as `load_image`.
    """
    path = check_readable(path)
    try:
        with open(path, "rb") as file, open_unlimited(file) as image:
            if image.format == "TIFF":
                raise ValueError("there are kinds that Pillow does not tell apart")
            check_pixels(path, image.height, image.width, always=small_file_pixels(image))
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
