"""Image files and arrays of every kind: as an `Image`, as (H, W, 3) uint8, and label images.

`image` is the type, `opening` the function that makes one of a file by `readers`, `lazy` and
`tiles` read parts as they are needed, `axes` and `tiff_words` understand what files say.
`decoders` lists what may run, `decoding` and `pictures` decode files, `tiff`, `segments` and
`netpbm` what Pillow cannot, `reader` makes 8-bit colours of them, `bands` chooses colours, `window`
and `intensities` bring every number of bits to 8, `labels` and `grey` leave values as they are,
`header` and `sizes` read sizes, `arrays` reads NumPy's files. `channels` reads images of other
channels than colors, of which `components` makes a few; `alike` reads images of one kind.
"""

from saccade.images.alike import Reading, reading_of
from saccade.images.channels import choose_channels, read_any, read_any_file, read_plane
from saccade.images.decoding import converted, decode_image
from saccade.images.grey import read_grey
from saccade.images.header import (
    MAX_PIXELS,
    check_pixels,
    exif_orientation,
    is_16_bit_png,
    open_unlimited,
    oriented,
)
from saccade.images.image import AXES, ArrayLike, Georeference, Image
from saccade.images.intensities import ReadImage, as_rgb, read_array
from saccade.images.labels import LabelImage, read_label_image, read_labels, whole_numbers
from saccade.images.opening import is_image_folder, is_picture, open_image
from saccade.images.projection import to_rgb
from saccade.images.reader import load_image, read_image
from saccade.images.sizes import decoded_size, header_of, image_size

__all__ = [
    "AXES",
    "MAX_PIXELS",
    "ArrayLike",
    "Georeference",
    "Image",
    "LabelImage",
    "ReadImage",
    "Reading",
    "as_rgb",
    "check_pixels",
    "choose_channels",
    "converted",
    "decode_image",
    "decoded_size",
    "exif_orientation",
    "header_of",
    "image_size",
    "is_16_bit_png",
    "is_image_folder",
    "is_picture",
    "load_image",
    "open_image",
    "open_unlimited",
    "oriented",
    "read_any",
    "read_any_file",
    "read_array",
    "read_grey",
    "read_image",
    "read_label_image",
    "read_labels",
    "read_plane",
    "reading_of",
    "to_rgb",
    "whole_numbers",
]
