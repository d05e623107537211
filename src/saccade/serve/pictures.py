"""Images of the library as a browser shows them."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from saccade.errors import InputError
from saccade.files import one_line, reading
from saccade.images import (
    exif_orientation,
    header_of,
    is_16_bit_png,
    open_unlimited,
    read_image,
)
from saccade.images.opening import is_picture
from saccade.images.pictures import stored
from saccade.serve.errors import renamed
from saccade.serve.library import Entry
from saccade.serve.settings import Limits
from saccade.serve.uploads import upright_size

_SHOWN_BY_BROWSERS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def file_for_browser(entry: Entry, rgb: NDArray[np.uint8]) -> tuple[bytes, str]:
    """An image as a browser can show it, upright, and its media type.

    Files that every browser decodes as we do go out as they are.
    """
    with open(entry.path, "rb") as file:
        kind = _SHOWN_BY_BROWSERS.get(header_of(file)[0])
    if kind is None:
        return encode_picture(rgb, "PNG"), "image/png"
    with open(entry.path, "rb") as file, open_unlimited(file) as image:
        plain = _is_plain(entry.path, image) and not getattr(image, "is_animated", False)
        # Every browser turns a JPEG as its EXIF says, but not every one a PNG.
        plain = plain and (kind == "image/jpeg" or exif_orientation(image) == 1)
    if plain:
        return entry.path.read_bytes(), kind
    return encode_picture(rgb, "PNG"), "image/png"


def with_contrast(
    entry: Entry, shown: NDArray[np.uint8], black: float, white: float
) -> NDArray[np.uint8]:
    """`shown` with black and white at parts 0 to 1 of the range of the values of its file.

    Raises:
        InputError: the file cannot be read, or `white` is not above `black`.
    """
    if white <= black:
        raise InputError(f"white: {white:g}, expected more than black ({black:g})")
    try:
        if is_picture(entry.path):
            with reading(entry.path, "damaged or truncated image"):
                values = stored(entry.path).values
            if values.dtype != np.uint8:
                low, high = float(np.nanmin(values)), float(np.nanmax(values))
                span = max(high - low, 1e-9)
                window = (low + black * span, low + white * span)
                return read_image(entry.path, window=window).pixels
    except InputError as error:
        raise renamed(error, entry.path, entry.name) from error
    scaled = (shown.astype(np.float32) - 255 * black) / (white - black)
    shifted: NDArray[np.uint8] = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return shifted


def _is_plain(path: Path, image: Image.Image) -> bool:
    """Whether Pillow and browsers make of a file what `load_image` does."""
    if image.has_transparency_data or (image.format == "PNG" and is_16_bit_png(path)):
        return False
    return image.mode in ("RGB", "L")


def encode_picture(rgb: NDArray[np.uint8], fmt: str) -> bytes:
    """An RGB or grey picture as a file; PNG is compressed little, as it is read once."""
    buffer = io.BytesIO()
    options: dict[str, Any] = {"compress_level": 1} if fmt == "PNG" else {"quality": 82}
    Image.fromarray(rgb).save(buffer, format=fmt, **options)
    return buffer.getvalue()


def thumbnail(
    entry: Entry,
    limits: Limits,
    load: Callable[[Entry], NDArray[np.uint8]],
    longest: int = 160,
    over: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
) -> bytes:
    """A small JPEG of an image, upright.

    Args:
        entry: the image.
        limits: of what is read.
        load: decodes what no browser shows.
        longest: side.
        over: paints over the small picture (h, w, 3).

    Raises:
        InputError: it cannot be read, or is larger than `limits` allow.
    """
    with open(entry.path, "rb") as file:
        upright_size(file, limits, entry.name)
        kind = header_of(file)[0]
    try:
        if kind in _SHOWN_BY_BROWSERS:
            with open(entry.path, "rb") as file, open_unlimited(file) as image:
                image.draft("RGB", (2 * longest, 2 * longest))
                if _is_plain(entry.path, image):
                    small = ImageOps.exif_transpose(image).convert("RGB")
                    small.thumbnail((longest, longest))
                    return _painted(small, over)
    except Exception as error:  # decoders raise nearly anything on a damaged file
        raise InputError(f"{entry.name}: cannot be read ({one_line(error)})") from error
    small = Image.fromarray(load(entry))
    small.thumbnail((longest, longest))
    return _painted(small, over)


def _painted(
    small: Image.Image, over: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None
) -> bytes:
    pixels = np.asarray(small)
    return encode_picture(pixels if over is None else over(pixels), "JPEG")
