"""Image files of every usual kind, as (H, W, 3) uint8."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.files import check_readable, reading
from saccade.images.bands import choose_bands
from saccade.images.decoding import array_of, decode_first, decode_image
from saccade.images.header import exif_orientation, is_16_bit_png, oriented, png_header
from saccade.images.intensities import Meaning, ReadImage, rgb_of_values
from saccade.images.netpbm import read_netpbm
from saccade.images.tiff import (
    MIN_IS_WHITE,
    PALETTE,
    RGB,
    TiffInfo,
    is_tiff,
    refuse_tiff,
    tiff_info,
    tiff_values,
)

_GREY_ALPHA = 4


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
    colours, transparency is composited over white, CMYK is converted. Intensities of more than 8
    bits follow the rule of `saccade.images.window`. Of several frames, pages or planes the first
    is taken, of several bands those that are colours; both are said in the remarks.

    Raises:
        InputError: the file is missing, a folder, empty, truncated, not an image, or has more
            pixels than `check_pixels` allows.

    Example:
        >>> from PIL import Image
        >>> Image.new("L", (640, 480)).save("photo.png")
        >>> read_image("photo.png").pixels.shape
        (480, 640, 3)
    """
    path = check_readable(path)
    try:
        with reading(path, "damaged or truncated image"):
            return _read(path)
    except InputError as error:
        if str(error).startswith("image: "):  # of the numbers, which know no file
            raise InputError(f"{path}: {str(error).removeprefix('image: ')}") from error
        raise


def _read(path: Path) -> ReadImage:
    info = tiff_info(path) if is_tiff(path) else None
    if info is not None and info.numbers and info.photometric != PALETTE:
        return _read_tiff(path, info)
    plain = read_netpbm(path)
    if plain is not None:
        return rgb_of_values(plain[0], Meaning(white=plain[1]))
    image, remarks = decode_first(path, page=info.index if info else 0)
    remarks = info.remarks if info else remarks
    turn = exif_orientation(image)
    found = _rgb_of_picture(path, image)
    return ReadImage(oriented(found.pixels, turn), remarks + found.remarks)


def _read_tiff(path: Path, info: TiffInfo) -> ReadImage:
    try:
        values = tiff_values(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        if info.bits > 8 or info.extras:  # of which Pillow would make something else
            raise refuse_tiff(path, error) from error
        image = decode_image(path, page=info.index)
        found = _rgb_of_picture(path, image)
        return ReadImage(found.pixels, info.remarks + found.remarks)
    bands = choose_bands(info.count, info.extras, rgb=info.photometric == RGB)
    meaning = Meaning(
        alpha=None if bands.alpha is None else values[..., bands.alpha],
        premultiplied=bands.premultiplied,
        white=2**info.bits - 1 if values.dtype.kind == "u" and info.bits < 16 else None,
        inverted=info.photometric == MIN_IS_WHITE,
        nodata=info.nodata,
    )
    first = bands.colors[0]
    colors = values[..., list(bands.colors)] if first or len(bands.colors) < info.count else values
    found = rgb_of_values(colors, meaning)
    return ReadImage(
        oriented(found.pixels, info.orientation), info.remarks + bands.remarks + found.remarks
    )


def _rgb_of_picture(path: Path, image: Image.Image) -> ReadImage:
    """A picture that Pillow decoded, as RGB, as it lies in the file."""
    mode = image.mode
    if mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint16)[..., None]
        return rgb_of_values(values, Meaning(alpha=_keyed_alpha(values, image)))
    if mode in ("I", "F"):
        return rgb_of_values(np.asarray(image)[..., None])
    if mode in ("RGB", "RGBA") and is_16_bit_png(path):
        return _rgb_of_wide_png(path, image)
    if image.has_transparency_data:
        rgba = array_of(path, image, "RGBA")
        return rgb_of_values(rgba[..., :3], Meaning(alpha=rgba[..., 3]))
    remarks: tuple[str, ...] = ()
    if mode == "CMYK":
        remarks = ("CMYK was converted to RGB without a color profile",)
    if image.format == "JPEG2000" and mode == "RGB":
        remarks = _jpeg2000_remark(path)
    return ReadImage(array_of(path, image, "RGB"), remarks)


def _keyed_alpha(values: NDArray[np.uint16], image: Image.Image) -> NDArray[np.bool_] | None:
    """Where a PNG of 16 bits is not of the one color that it calls transparent."""
    key = image.info.get("transparency")
    return None if key is None else ~(values == np.asarray(key)).all(axis=2)


def _jpeg2000_remark(path: Path) -> tuple[str, ...]:
    """That colors of more than 8 bits, as the codestream says of them, were cut to 8 by Pillow."""
    with open(path, "rb") as file:
        start = file.read(65536)
    place = start.find(b"\xff\x4f\xff\x51")
    if place < 0 or len(start) < place + 43:
        return ()
    bits = (start[place + 42] & 127) + 1
    return (f"colors of {bits} bits were cut to 8",) if bits > 8 else ()


def _rgb_of_wide_png(path: Path, image: Image.Image) -> ReadImage:
    if png_header(path)[1] == _GREY_ALPHA:  # all its bytes, as if they were four channels
        raw = array_of(path, decode_image(path, rawmode="RGBA"), "RGBA")
        wide: NDArray[Any] = raw[..., ::2].astype(np.uint16) << 8 | raw[..., 1::2]
    else:
        # Pillow keeps the high byte only; read as little-endian, the same file gives the low one.
        wide = array_of(path, image, image.mode).astype(np.uint16) << 8
        image.close()  # one of the two is memory enough
        low = decode_image(path, rawmode=f"{image.mode};16L")
        wide |= array_of(path, low, low.mode)
    if wide.shape[2] % 2:
        return rgb_of_values(wide, Meaning(alpha=_keyed_alpha(wide, image)))
    return rgb_of_values(wide[..., :-1], Meaning(alpha=wide[..., -1]))
