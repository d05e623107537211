"""Grey images as numbers, neither stretched nor rounded: maps of saliency and the like."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import check_readable
from saccade.images.decoding import array_of, decode_image
from saccade.images.header import exif_orientation, oriented
from saccade.images.tiff import MIN_IS_WHITE, PALETTE, is_tiff, refuse_tiff, tiff_info, tiff_values


def read_grey(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The numbers of a grey image, (H, W) integers or floats, large where it is bright, upright.

    Colours become 8 bits of grey.

    Raises:
        InputError: the file is missing, damaged, or no image.

    Example:
        >>> from PIL import Image
        >>> Image.fromarray(np.array([[0.25, 0.5]], np.float32)).save("map.tif")
        >>> read_grey("map.tif").tolist()
        [[0.25, 0.5]]
    """
    path = check_readable(path)
    info = tiff_info(path) if is_tiff(path) else None
    if info is not None and info.numbers and info.count == 1 and info.photometric != PALETTE:
        try:
            values = oriented(tiff_values(path)[..., 0], info.orientation)
        except (InputError, MemoryError):
            raise
        except Exception as error:
            raise refuse_tiff(path, error) from error
        if values.dtype.kind == "b":
            values = values.astype(np.uint8)
        return values.max() - values if info.photometric == MIN_IS_WHITE else values
    image = decode_image(path)
    wide = image.mode.startswith("I") or image.mode == "F"
    values = np.asarray(image) if wide else array_of(path, image, "L")
    return oriented(values, exif_orientation(image))
