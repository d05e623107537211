"""TIFF files that Pillow cannot read, or not without loss."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.errors import InputError
from saccade.files import one_line
from saccade.images.header import check_pixels, oriented
from saccade.images.intensities import stretch_to_unit

_LARGE_TILE = 64 * 2**20
# Of deflate, which reaches 1030, and of LZW; what other methods can do for a blank page is rare.
_MOST_TIMES_SMALLER = 2000


def is_tiff(path: Path) -> bool:
    """Whether a file begins as TIFF or BigTIFF files do."""
    with open(path, "rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def bits_per_sample(image: Image.Image) -> tuple[int, ...]:
    """Bits of each channel as the tag of a TIFF says; () for other formats."""
    if image.format != "TIFF":
        return ()
    bits = getattr(image, "tag_v2", {}).get(258, ())
    return tuple(bits) if isinstance(bits, tuple) else (bits,)


def read_tiff(path: Path, fallback: Image.Image | None = None) -> NDArray[Any]:
    """Read what Pillow cannot: several channels of 16 bits or of floats, 64-bit floats.

    Args:
        path: path of the file.
        fallback: the image as Pillow decoded it, with 8 of the 16 bits, for a compression that
            only Pillow knows.

    Returns:
        (H, W) or (H, W, C), upright; unsigned integers as they are, others as
        `stretch_to_unit` returns them.

    Raises:
        InputError: the file cannot be read.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            check_pixels(path, page.imagelength, page.imagewidth)
            _check_segments(path, page)
            array = page.asarray()
            if array.size == 0:  # tifffile's answer to a page whose data is gone
                raise ValueError("no pixel data")
            planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
            orientation = page.tags.valueof(274, default=1)
            array = np.moveaxis(array, 0, -1) if array.ndim == 3 and planar else array
    except (InputError, MemoryError):
        raise
    except Exception as error:
        if fallback is not None:
            return np.asarray(fallback)
        raise InputError(f"{path}: TIFF that cannot be read ({one_line(error)})") from error
    if array.dtype.kind == "f" or array.dtype.itemsize > 2 or array.dtype.kind == "i":
        array = stretch_to_unit(array, always=array.dtype.kind != "f")
    return oriented(array, orientation if orientation in range(1, 9) else 1)


def _check_segments(path: Path, page: Any) -> None:
    """Raise ValueError where the strips or tiles of a page cannot be what its header says.

    Missing ones would be read as 0, and a header may promise more of them than a day decodes.
    """
    needed, there = math.prod(page.chunked), len(page.dataoffsets)
    if needed > there:
        raise ValueError(f"{needed} strips or tiles are needed, it has {there}")
    segment = math.prod(page.chunks) * page.dtype.itemsize
    if segment > max(page.nbytes, _LARGE_TILE):
        raise ValueError(f"{page.nbytes} bytes in strips or tiles of {segment} are too many")
    if max(page.nbytes, segment) > _MOST_TIMES_SMALLER * path.stat().st_size + _LARGE_TILE:
        raise ValueError(f"the file is too small for {page.nbytes} bytes of pixels")
