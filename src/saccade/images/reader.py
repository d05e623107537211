"""Image files of every usual kind, as (H, W, 3) uint8."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from saccade.errors import InputError
from saccade.files import check_readable, one_line, reading
from saccade.images.bands import choose_bands
from saccade.images.decoders import EXPECTED
from saccade.images.header import (
    check_pixels,
    exif_orientation,
    is_16_bit_png,
    open_unlimited,
    oriented,
    png_header,
)
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

_KINDS = {"PNG": "frames", "GIF": "frames", "WEBP": "frames", "AVIF": "frames", "TIFF": "pages"}
_GREY_ALPHA = 4
_BAND = 8_000_000  # pixels that are converted at once


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
        return _read(path)
    except InputError as error:
        if str(error).startswith("image: "):  # of the numbers, which know no file
            raise InputError(f"{path}: {str(error).removeprefix('image: ')}") from error
        raise


def _read(path: Path) -> ReadImage:
    info = tiff_info(path) if is_tiff(path) else None
    if info is not None and info.numbers and info.photometric != PALETTE:
        return _read_tiff(path, info)
    with reading(path, "damaged or truncated image"):
        plain = read_netpbm(path)
    if plain is not None:
        return rgb_of_values(plain[0], Meaning(white=plain[1]))
    image = decode_image(path, page=info.index if info else 0)
    remarks = info.remarks if info else frames_remark(image)
    found = _rgb_of_picture(path, image)
    pixels = oriented(found.pixels, exif_orientation(image))
    return ReadImage(pixels, remarks + found.remarks)


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


def decode_image(
    path: str | os.PathLike[str],
    *,
    rawmode: str | None = None,
    shape: tuple[int, int] | None = None,
    page: int = 0,
) -> Image.Image:
    """Decode the first frame of an image file and leave it in the file's own mode.

    Nothing is converted and no EXIF orientation applied (TIFF excepted, where Pillow does it):
    label images need their values as they are. `rawmode` replaces Pillow's name of the file's
    pixel layout. With `shape`, (H, W), an image of another size is refused before it is decoded;
    one that lies on its side may still be turned by its EXIF orientation. `page` is the index of
    another frame.

    Raises:
        InputError: as `load_image`, or another size than `shape`.
    """
    path = check_readable(path)
    try:
        with open(path, "rb") as file, open_unlimited(file) as image:
            check_pixels(path, image.height, image.width)
            if page:
                image.seek(page)
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
        raise InputError(f"{path}: not an image that can be read ({EXPECTED})") from error
    except Exception as error:  # decoders raise nearly anything on a damaged file
        raise InputError(f"{path}: damaged or truncated image ({one_line(error)})") from error


def converted(path: str | os.PathLike[str], image: Image.Image, mode: str) -> Image.Image:
    """A decoded image in another mode of Pillow.

    Raises:
        InputError: its palette or its transparency is damaged.
    """
    with reading(path, "damaged image"):
        return image.convert(mode)


def array_of(path: str | os.PathLike[str], image: Image.Image, mode: str) -> NDArray[np.uint8]:
    """A decoded image of 8 bits in another mode of Pillow, as an array.

    A large one is converted a band of rows at a time, as Pillow needs three times its memory.

    Raises:
        InputError: its palette or its transparency is damaged.

    Example:
        >>> array_of("grey.png", Image.new("L", (3, 2)), "RGB").shape
        (2, 3, 3)
    """
    rows = max(1, _BAND // image.width)
    if image.height <= rows:
        return np.asarray(converted(path, image, mode))
    bands = range(0, image.height, rows)
    result: NDArray[np.uint8] | None = None
    for top in bands:
        box = (0, top, image.width, min(top + rows, image.height))
        part = np.asarray(converted(path, image.crop(box), mode))
        if result is None:
            result = np.empty((image.height, *part.shape[1:]), np.uint8)
        result[top : box[3]] = part
    assert result is not None
    return result


def frames_remark(image: Image.Image) -> tuple[str, ...]:
    """That an image opened by Pillow is the first of several, if it is.

    Example:
        >>> frames_remark(Image.new("L", (2, 2)))
        ()
    """
    if image.format == "ICO":
        count = len(image.info.get("sizes", ()))
        return (f"the largest of {count} sizes",) if count > 1 else ()
    count = 1
    with suppress(Exception):  # damage behind the first frame, which is all that is read
        count = int(getattr(image, "n_frames", 1))
    kind = _KINDS.get(image.format or "", "images")
    return (f"the first of {count} {kind}",) if count > 1 else ()


def _rgb_of_picture(path: Path, image: Image.Image) -> ReadImage:
    """A picture that Pillow decoded, as RGB, as it lies in the file."""
    mode = image.mode
    if mode.startswith("I;16"):
        return rgb_of_values(np.asarray(image).astype(np.uint16)[..., None])
    if mode in ("I", "F"):
        return rgb_of_values(np.asarray(image)[..., None])
    if mode in ("RGB", "RGBA") and is_16_bit_png(path):
        return _rgb_of_wide_png(path, image)
    if image.has_transparency_data:
        rgba = array_of(path, image, "RGBA")
        return rgb_of_values(rgba[..., :3], Meaning(alpha=rgba[..., 3]))
    remarks = ("CMYK was converted to RGB without a color profile",) if mode == "CMYK" else ()
    return ReadImage(array_of(path, image, "RGB"), remarks)


def _rgb_of_wide_png(path: Path, image: Image.Image) -> ReadImage:
    if png_header(path)[1] == _GREY_ALPHA:  # all its bytes, as if they were four channels
        raw = np.asarray(decode_image(path, rawmode="RGBA"), dtype=np.uint16)
        wide: NDArray[Any] = raw[..., ::2] * 256 + raw[..., 1::2]
    else:
        # Pillow keeps the high byte only; read as little-endian, the same file gives the low one.
        low = decode_image(path, rawmode=f"{image.mode};16L")
        wide = np.asarray(image, dtype=np.uint16) * 256 + np.asarray(low)
    if wide.shape[2] % 2:
        return rgb_of_values(wide)
    return rgb_of_values(wide[..., :-1], Meaning(alpha=wide[..., -1]))
