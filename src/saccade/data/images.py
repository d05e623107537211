"""Image files and arrays of every usual kind, as (H, W, 3) uint8."""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from saccade.data.files import check_readable, one_line
from saccade.errors import InputError

MAX_PIXELS = 400_000_000
"""Images with more pixels are refused: three times their size in memory would hang a machine."""

_ORIENTATION_TAG = 0x0112
_FLOAT_SLACK = 1e-5  # resampling in float32 leaves [0, 1] by a few rounding errors
_pillow_limit = threading.Lock()


def load_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read an image file (PNG, JPEG, TIFF, BMP, WebP, ...) as (H, W, 3) uint8 RGB.

    The EXIF orientation is applied. Grey becomes three equal channels, palettes become
    colours, transparency is composited over white, CMYK is converted. 16 bits per channel are
    scaled by 1 / 257 and rounded. Float images in [0, 1] are scaled by 255; float images that
    leave [0, 1] and 32-bit integer images have no white point and are stretched from their
    minimum to their maximum. Of several frames or pages the first is taken.

    Raises:
        InputError: the file is missing, a folder, empty, truncated, not an image, or has more
            than `MAX_PIXELS` pixels.
    """
    path = check_readable(path)
    try:
        image = decode_image(path)
    except _UnknownFormatError:
        if not _is_tiff(path):
            raise
        return _named(path, _read_tiff(path))
    if _bits_per_sample(image)[:3] == (16, 16, 16):
        return _named(path, _read_tiff(path, fallback=image))
    return _named(path, oriented(_pixels(path, image), exif_orientation(image)))


def image_size(path: str | os.PathLike[str], *, upright: bool = True) -> tuple[int, int]:
    """(H, W) of an image, from its header; nothing is decoded.

    Args:
        path: of the file.
        upright: as `load_image` turns it; else as `decode_image` leaves it.

    Raises:
        InputError: the file is missing, no image, or has too many pixels or none.
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


def as_rgb(array: Any) -> NDArray[np.uint8]:
    """Return an image array as (H, W, 3) uint8 RGB.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) RGBA; bool, uint8, uint16 (white =
            65535) or float in [0, 1]. Alpha is composited over white.

    Raises:
        InputError: another number of axes or channels, no pixels, another data type, NaN or
            infinity, floats outside [0, 1].
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        hint = " (channels come last)" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise InputError(
            f"image: shape {array.shape}, expected (H, W), (H, W, 3) or (H, W, 4){hint}"
        )
    if array.size == 0:
        raise InputError(f"image: shape {array.shape} has no pixels")
    values = _to_8_bit(array)
    if values.shape[2] == 4:
        return _over_white(values)
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    return values


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


class _UnknownFormatError(InputError):
    """No decoder of Pillow takes the file."""


def _named(path: Path, array: NDArray[Any]) -> NDArray[np.uint8]:
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
        return _stretched(np.asarray(image), always=mode == "I")
    if mode in ("RGB", "RGBA") and _is_16_bit_png(path):
        # Pillow keeps the high byte only; read as little-endian, the same file gives the low one.
        low = decode_image(path, rawmode=f"{mode};16L")
        return np.asarray(np.asarray(image, dtype=np.uint16) * 256 + np.asarray(low))
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image if mode in ("L", "RGB") else image.convert("RGB"))


def _is_16_bit_png(path: Path) -> bool:
    with open(path, "rb") as file:
        header = file.read(25)
    return header.startswith(b"\x89PNG") and header[24] == 16


def _is_tiff(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _bits_per_sample(image: Image.Image) -> tuple[int, ...]:
    if image.format != "TIFF":
        return ()
    bits = getattr(image, "tag_v2", {}).get(258, ())
    return tuple(bits) if isinstance(bits, tuple) else (bits,)


def _read_tiff(path: Path, fallback: Image.Image | None = None) -> NDArray[Any]:
    """Read what Pillow cannot: several channels of 16 bits or of floats, 64-bit floats."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            check_pixels(path, page.imagelength, page.imagewidth)
            array = page.asarray()
            if array.size == 0:  # tifffile's answer to a page whose data is gone
                raise ValueError("no pixel data")
            planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
            orientation = page.tags.valueof(274, default=1)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        if fallback is not None:  # a compression that only Pillow knows: 8 of the 16 bits
            return np.asarray(fallback)
        raise InputError(f"{path}: TIFF that cannot be read ({one_line(error)})") from error
    if array.ndim == 3 and planar:
        array = np.moveaxis(array, 0, -1)
    if array.dtype.kind == "f" or array.dtype.itemsize > 2 or array.dtype.kind == "i":
        array = _stretched(array, always=array.dtype.kind != "f")
    return oriented(array, orientation if orientation in range(1, 9) else 1)


def _stretched(array: NDArray[Any], *, always: bool) -> NDArray[Any]:
    values = array.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high) or (not always and low >= 0 and high <= 1 + _FLOAT_SLACK):
        return values
    return (values - np.float32(low)) / np.float32((high - low) or 1.0)


def _to_8_bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if kind == "u" and bits == 8:
        return array.astype(np.uint8, copy=False)
    if kind == "u" and bits == 16:
        return np.asarray((array.astype(np.uint32) + 128) // 257, dtype=np.uint8)
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "f":
        return _float_to_8_bit(array)
    raise InputError(
        f"image: data type {array.dtype}, expected uint8, uint16, bool or float in [0, 1]"
    )


def _float_to_8_bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    if not np.isfinite(array).all():
        raise InputError("image: NaN or infinite values, expected floats in [0, 1]")
    low, high = float(array.min()), float(array.max())
    if low < -_FLOAT_SLACK or high > 1 + _FLOAT_SLACK:
        raise InputError(
            f"image: floats from {low:.4g} to {high:.4g}, expected [0, 1] (or uint8 in 0..255)"
        )
    scaled = np.rint(np.clip(array, 0, 1) * array.dtype.type(255))
    return np.asarray(scaled, dtype=np.uint8)


def _over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.uint16)
    # c a + 255 (255 - a) is at most 255**2, so 16 bits hold it with the rounding term.
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha) + 127
    return np.asarray(mixed // 255, dtype=np.uint8)
