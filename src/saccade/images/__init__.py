"""Image files and arrays of every usual kind, as (H, W, 3) uint8.

`reader` decodes files, `arrays` NumPy's, `header` reads sizes and orientations, `intensities`
brings every number of bits to 8, `tiff` reads what Pillow cannot.
"""

from saccade.images.header import (
    MAX_PIXELS,
    check_pixels,
    exif_orientation,
    image_size,
    is_16_bit_png,
    open_unlimited,
    oriented,
)
from saccade.images.intensities import as_rgb
from saccade.images.reader import (
    ReadImage,
    converted,
    decode_image,
    decoded_size,
    load_image,
    read_image,
)

__all__ = [
    "MAX_PIXELS",
    "ReadImage",
    "as_rgb",
    "check_pixels",
    "converted",
    "decode_image",
    "decoded_size",
    "exif_orientation",
    "image_size",
    "is_16_bit_png",
    "load_image",
    "open_unlimited",
    "oriented",
    "read_image",
]
