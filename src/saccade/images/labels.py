"""Label images: the values as they stand in the file, whatever its type and photometric."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.files import check_readable, reading
from saccade.images.bands import PREMULTIPLIED, STRAIGHT
from saccade.images.decoding import array_of, decode_first
from saccade.images.header import check_pixels, exif_orientation, oriented, png_header
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

_COLOR_MODES = ("RGB", "RGBA", "RGBX", "RGBa", "LA", "La", "PA")


@dataclass(frozen=True)
class LabelImage:
    """A label image, or an image whose colours may mean labels, upright.

    Attributes:
        values: (H, W) integers, of a palette its indices; None where there are colours.
        rgba: (H, W, 4) uint8 where there are colours, else None.
        format: Pillow's name of the format, "PNG".
        kind: "palette", "grey" or "black and white"; Pillow's name of the colours' mode.
        transparent: values that the file calls fully transparent.
        remarks: what was assumed, converted or left out, one line each.
        palette: (N, 3) uint8, the colours of a palette's indices; None where they are not known.

    >>> LabelImage(np.array([[0, 1]]), None, "PNG", "grey").remarks
    ()
    """

    values: NDArray[Any] | None
    rgba: NDArray[np.uint8] | None
    format: str
    kind: str
    transparent: frozenset[int] = frozenset()
    remarks: tuple[str, ...] = ()
    palette: NDArray[np.uint8] | None = None


def read_labels(
    path: str | os.PathLike[str], shape: tuple[int, int] | None = None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The values of a label image, (H, W) integers of any type, and remarks.

    Args:
        path: an image file, grey or with a palette, of integers of 1 to 64 bits, or of floats
            that are whole numbers.
        shape: (H, W) that it must have; checked before anything is decoded.

    Raises:
        InputError: the file is missing, damaged, of another size, or has colours or fractions.

    Example:
        >>> from PIL import Image
        >>> Image.fromarray(np.array([[0, 7]], np.uint8)).save("labels.png")
        >>> read_labels("labels.png")
        (array([[0, 7]], dtype=uint8), ())
    """
    found = read_label_image(path, shape)
    if found.values is None:
        raise InputError(
            f"{path}: a {found.kind} image has colours, expected a palette or grey label image"
        )
    check_pixels(path, found.values.shape[0], found.values.shape[1], shape)
    return found.values, found.remarks


def read_label_image(
    path: str | os.PathLike[str], shape: tuple[int, int] | None = None
) -> LabelImage:
    """Read an image file for its labels, or for the colours that may stand for them.

    Values are never inverted: a boolean TIFF, in which many programs say that small is bright,
    has the values that were written. Only facsimile (CCITT), whose codes mean black and white
    themselves, is read as it looks.

    Args:
        path: of the file.
        shape: (H, W) that it must have, or the same on its side, which the caller may explain;
            checked before anything is decoded.

    Raises:
        InputError: the file is missing, damaged, of another size or kind, or has fractions.
    """
    path = check_readable(path)
    with reading(path, "damaged or truncated image"):
        return _read(path, shape)


def _read(path: Path, shape: tuple[int, int] | None) -> LabelImage:
    info = tiff_info(path) if is_tiff(path) else None
    if info is not None and _is_label_tiff(info):
        return _read_label_tiff(path, info, shape)
    if info is not None and info.numbers and (info.photometric != RGB or info.bits > 16):
        raise InputError(
            f"{path}: {info.count} bands of {info.bits} bits have colours, expected a palette or "
            "grey label image"
        )
    plain = read_netpbm(path)
    if plain is not None and plain[0].shape[2] == 1:
        values = whole_numbers(plain[0][..., 0], str(path))
        return LabelImage(values, None, "PPM", "grey")
    image, remarks = decode_first(path, shape=shape, page=info.index if info else 0)
    remarks = info.remarks if info else remarks
    turn = exif_orientation(image)
    if image.mode in _COLOR_MODES:
        rgba = oriented(array_of(path, image, "RGBA"), turn)
        return LabelImage(None, rgba, image.format or "image", image.mode, remarks=remarks)
    if image.mode not in ("P", "L", "1", "I", "F") and not image.mode.startswith("I;16"):
        raise InputError(
            f"{path}: a {image.mode} image has colours, expected a palette or grey label image"
        )
    values = whole_numbers(oriented(np.asarray(image), turn), str(path))
    kind = {"P": "palette", "1": "black and white"}.get(image.mode, "grey")
    return LabelImage(
        values,
        None,
        image.format or "image",
        kind,
        _transparent(image),
        remarks + _scaled_remark(path, image),
        _palette(image),
    )


def whole_numbers(array: NDArray[Any], source: str) -> NDArray[Any]:
    """An array of integers as it is, and one of booleans, or of floats without fractions, as such.

    Raises:
        InputError: NaN, infinite or fractional values, floats above 2**53, or no numbers.

    Example:
        >>> whole_numbers(np.array([0.0, 2.0]), "labels")
        array([0, 2])
    """
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "ui":
        return array
    if array.dtype.kind != "f":
        raise InputError(f"{source}: data type {array.dtype}, expected whole numbers")
    if not np.isfinite(array).all():
        raise InputError(f"{source}: NaN or infinite values, expected whole numbers")
    odd = array != np.rint(array)
    if odd.any():
        raise InputError(
            f"{source}: fractional values such as {float(array[odd][0]):.6g}, expected whole "
            "numbers as labels"
        )
    if float(np.abs(array).max(initial=0)) > 2**53:
        raise InputError(f"{source}: values above 2**53, expected labels")
    return array.astype(np.int64)


def _is_label_tiff(info: TiffInfo) -> bool:
    """Whether the numbers of a TIFF may be labels: one band, or others that nobody explains."""
    if not info.numbers or info.photometric == RGB:
        return False
    alpha = any(kind in (PREMULTIPLIED, STRAIGHT) for kind in info.extras)
    return info.count == 1 or (info.count == 2 and not alpha)


def _read_label_tiff(path: Path, info: TiffInfo, shape: tuple[int, int] | None) -> LabelImage:
    try:
        stored = tiff_values(path, shape)[..., 0]
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise refuse_tiff(path, error) from error
    values = whole_numbers(oriented(stored, info.orientation), str(path))
    if values.dtype.byteorder not in "=|":
        values = values.astype(values.dtype.newbyteorder("="))
    remarks = info.remarks
    if info.count > 1:
        remarks += (f"band 2 of {info.count} is not used",)
    if info.photometric == MIN_IS_WHITE:
        remarks += ("min-is-white: the values were taken as they are stored, not inverted",)
    kind = "black and white" if info.bits == 1 else "grey"
    kind = "palette" if info.photometric == PALETTE else kind
    return LabelImage(values, None, "TIFF", kind, remarks=remarks)


def _palette(image: Image.Image) -> NDArray[np.uint8] | None:
    colors = image.getpalette("RGB") if image.mode == "P" else None
    return np.array(colors, np.uint8).reshape(-1, 3) if colors else None


def _transparent(image: Image.Image) -> frozenset[int]:
    found = image.info.get("transparency")
    if isinstance(found, bytes):
        return frozenset(value for value, alpha in enumerate(found) if alpha == 0)
    return frozenset({found}) if isinstance(found, int) else frozenset()


def _scaled_remark(path: Path, image: Image.Image) -> tuple[str, ...]:
    """That a grey PNG of 2 or 4 bits is read in 8: its standard scales it so."""
    if image.format != "PNG" or image.mode != "L":
        return ()
    bits = png_header(path)[0]
    if bits not in (2, 4):
        return ()
    return (f"grey of {bits} bits was read in 8, times {255 // (2**bits - 1)}",)
