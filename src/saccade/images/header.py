"""What the header of an image file says: size, orientation, and whether it is too large to read."""

import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.images.decoders import DECODERS

MAX_PIXELS = 400_000_000
"""Images with more pixels are refused: three times their size in memory would hang a machine."""

ALWAYS_PIXELS = 100_000_000
"""So many pixels are read however small the file, as masks may be; more only from a larger one."""

ALWAYS_COLORED = 64_000_000
"""The same where a pixel is more than a byte."""

ALWAYS_COPIED = 40_000_000
"""The same where the decoder makes copies of the whole image."""

MOST_PIXELS_PER_BYTE = 100
"""Above those. Photographs have 1 to 8; blank pages made to fill a memory have 1000."""

_ORIENTATION_TAG = 0x0112
_pillow_limit = threading.Lock()


def check_pixels(
    path: str | os.PathLike[str],
    height: int,
    width: int,
    shape: tuple[int, int] | None = None,
    *,
    always: int | None = None,
) -> None:
    """Raise InputError where an image has no pixels, or more than are read.

    More than `MAX_PIXELS` never are; more than `always` (None: `ALWAYS_PIXELS`) only where the
    file has at least one byte for each `MOST_PIXELS_PER_BYTE`. With `shape`, (H, W), an image of
    another size is refused too; strokes and masks are all but blank, so one that is as large as an
    image that was read may be in a small file.
    """
    if height < 1 or width < 1:
        raise InputError(f"{path}: an image of {width} x {height} pixels has no pixels")
    if height * width > MAX_PIXELS:
        raise InputError(
            f"{path}: {width} x {height} pixels are more than the {MAX_PIXELS // 10**6} "
            "megapixels that are read; crop it or scale it down"
        )
    always = ALWAYS_PIXELS if always is None else always
    if height * width > always and shape != (height, width):
        try:
            stored = os.stat(path).st_size
        except (OSError, ValueError):  # only a name: whoever has the bytes checks them
            stored = MAX_PIXELS
        if height * width > stored * MOST_PIXELS_PER_BYTE:
            raise InputError(
                f"{path}: {width} x {height} pixels in {stored // 1024} KB are all but blank; "
                f"above {always // 10**6} megapixels such a file is not read; crop it or "
                "scale it down"
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
    """Open (not yet decode) an image from a binary file object of any size in pixels.

    Only the decoders of `DECODERS` are tried: none of them runs another program.
    """
    # Pillow's limit is a module global that warns at 89 megapixels, which many microscopes
    # exceed. It is lifted only while the header is read; check_pixels follows.
    with _pillow_limit:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(file, formats=DECODERS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def is_16_bit_png(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a PNG of 16 bits per channel."""
    return png_header(path)[0] == 16


def png_header(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Bits per channel and color type (4: grey with alpha) of a PNG; (0, 0) of other files."""
    with open(path, "rb") as file:
        header = file.read(26)
    found = header.startswith(b"\x89PNG") and len(header) == 26
    return (header[24], header[25]) if found else (0, 0)
