"""The numbers of one picture as they lie in its file, and what they mean."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.images.bands import choose_bands
from saccade.images.decoding import array_of, decode_first, decode_image
from saccade.images.header import exif_orientation, is_16_bit_png, png_header
from saccade.images.intensities import Meaning
from saccade.images.netpbm import read_netpbm
from saccade.images.tiff import (
    MIN_IS_WHITE,
    PALETTE,
    RGB,
    TiffInfo,
    is_tiff,
    refuse_tiff,
    tiff_info,
    tiff_says,
    tiff_values,
)

_GREY_ALPHA = 4


@dataclass(frozen=True)
class Stored:
    """The numbers of a picture, not yet turned upright.

    Attributes:
        values: (H, W, C) numbers, as `rgb_of_values` takes them.
        meaning: what they mean.
        remarks: what was left out or converted.
        orientation: 1..8, as `oriented` takes it.

    >>> Stored(np.zeros((2, 3, 1), np.uint8)).orientation
    1
    """

    values: NDArray[Any]
    meaning: Meaning = field(default_factory=Meaning)
    remarks: tuple[str, ...] = ()
    orientation: int = 1


def stored(path: Path) -> Stored:
    """The first picture of an image file.

    Raises:
        InputError: it is damaged.
        Exception: nearly any other of a damaged file, see `saccade.files.reading`.

    Example:
        >>> Image.new("L", (6, 4)).save("grey.png")
        >>> stored(Path("grey.png")).values.shape
        (4, 6, 1)
    """
    info = tiff_info(path) if is_tiff(path) else None
    if info is not None and info.numbers and info.photometric != PALETTE:
        return _read_tiff(path, info)
    plain = read_netpbm(path)
    if plain is not None:
        return Stored(plain[0], Meaning(white=plain[1]))
    image, remarks = decode_first(path, page=info.index if info else 0)
    remarks = info.remarks if info else remarks
    return _picture(path, image, remarks, exif_orientation(image))


def _read_tiff(path: Path, info: TiffInfo) -> Stored:
    try:
        values = tiff_values(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        if info.bits > 8 or info.extras:  # of which Pillow would make something else
            raise refuse_tiff(path, error) from error
        image = decode_image(path, page=info.index)
        return _picture(path, image, info.remarks)
    bands = choose_bands(info.count, info.extras, rgb=info.photometric == RGB)
    says = tiff_says(path)
    white = 2**info.bits - 1 if values.dtype.kind == "u" and info.bits < 16 else says.white
    meaning = Meaning(
        alpha=None if bands.alpha is None else values[..., bands.alpha],
        premultiplied=bands.premultiplied,
        white=white,
        inverted=info.photometric == MIN_IS_WHITE,
        nodata=info.nodata,
        window=says.window[:1] or None,
    )
    first = bands.colors[0]
    colors = values[..., list(bands.colors)] if first or len(bands.colors) < info.count else values
    return Stored(colors, meaning, info.remarks + bands.remarks, info.orientation)


def _picture(
    path: Path, image: Image.Image, remarks: tuple[str, ...], orientation: int = 1
) -> Stored:
    """A picture that Pillow decoded."""
    values, meaning, said = _values_of_picture(path, image)
    return Stored(values, meaning, remarks + said, orientation)


def _values_of_picture(
    path: Path, image: Image.Image
) -> tuple[NDArray[Any], Meaning, tuple[str, ...]]:
    mode = image.mode
    if mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint16)[..., None]
        return values, Meaning(alpha=_keyed_alpha(values, image)), ()
    if mode in ("I", "F"):
        return np.asarray(image)[..., None], Meaning(), ()
    if mode in ("RGB", "RGBA") and is_16_bit_png(path):
        return *_wide_png(path, image), ()
    if image.has_transparency_data:
        rgba = array_of(path, image, "RGBA")
        return rgba[..., :3], Meaning(alpha=rgba[..., 3]), ()
    remarks: tuple[str, ...] = ()
    if mode == "CMYK":
        remarks = ("CMYK was converted to RGB without a color profile",)
    if image.format == "JPEG2000" and mode == "RGB":
        remarks = _jpeg2000_remark(path)
    if mode == "L":
        return array_of(path, image, "L")[..., None], Meaning(), remarks
    return array_of(path, image, "RGB"), Meaning(), remarks


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


def _wide_png(path: Path, image: Image.Image) -> tuple[NDArray[Any], Meaning]:
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
        return wide, Meaning(alpha=_keyed_alpha(wide, image))
    return wide[..., :-1], Meaning(alpha=wide[..., -1])
