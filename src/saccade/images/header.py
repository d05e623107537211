"""What the header of an image file says: size, orientation, and whether it is too large to read."""

import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.files import check_readable, one_line

MAX_PIXELS = 400_000_000
"""Images with more pixels are refused: three times their size in memory would hang a machine."""

_ORIENTATION_TAG = 0x0112
_pillow_limit = threading.Lock()


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
        with open(path, "rb") as file, open_unlimited(file) as image:
            size = image.height, image.width
            check_pixels(path, *size)
            return size[::-1] if upright and exif_orientation(image) >= 5 else size
    except (InputError, MemoryError):
        raise
    except Exception as error:  # readers of headers raise nearly anything on a damaged file
        raise InputError(f"{path}: not an image that can be read ({one_line(error)})") from error


def check_pixels(
    path: str | os.PathLike[str], height: int, width: int, shape: tuple[int, int] | None = None
) -> None:
    """Raise InputError where an image has no pixels or more than `MAX_PIXELS`.

    With `shape`, (H, W), also where it has another size.
    """
    if height < 1 or width < 1:
        raise InputError(f"{path}: an image of {width} x {height} pixels has no pixels")
    if height * width > MAX_PIXELS:
        raise InputError(
            f"{path}: {width} x {height} pixels are more than the {MAX_PIXELS // 10**6} "
            "megapixels that are read; crop it or scale it down"
        )
    if shape is not None and (height, width) != tuple(shape):
        raise InputError(
            f"{path}: {width} x {height} pixels (width x height), the image is "
            f"{shape[1]} x {shape[0]}"
        )


def exif_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation 1..8 of a decoded image; 1 where there is none."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # a damaged EXIF block does not make the pixels unreadable
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def oriented(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return (H, W, ...) `array` turned upright from EXIF `orientation` 1..8."""
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return np.ascontiguousarray(array)


def open_unlimited(file: Any) -> Image.Image:
    """Open (not yet decode) an image from a binary file object of any size in pixels."""
    # Pillow's limit is a module global that warns at 89 megapixels, which many microscopes
    # exceed. It is lifted only while the header is read; check_pixels follows.
    with _pillow_limit:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(file)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def is_16_bit_png(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a PNG of 16 bits per channel."""
    with open(path, "rb") as file:
        header = file.read(25)
    return header.startswith(b"\x89PNG") and header[24] == 16
