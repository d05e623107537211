"""PGM and PPM files of 16 bits or of another white than 255, of which Pillow loses the numbers.

Pillow scales grey values to its own white, and colours of 16 bits to 8.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.images.header import check_pixels

# Magic number, width, height, white; comments may stand between them.
_HEADER = re.compile(rb"P([2356])" + rb"(?:\s*#[^\r\n]*[\r\n]|\s)+(\d{1,9})" * 3 + rb"(?:\s)")


def read_netpbm(path: Path) -> tuple[NDArray[Any], int] | None:
    """The numbers of a PGM or PPM file, (H, W, 1 or 3) uint8 or uint16, and which is white.

    None: it is another file, or its white is 255, so that nothing of it is lost elsewhere.

    Raises:
        ValueError: numbers are missing, or above white.
        InputError: too many pixels.
    """
    with open(path, "rb") as file:
        found = _HEADER.match(file.read(4096))
        if found is None:
            return None
        kind, width, height, white = (int(part) for part in found.groups())
        if white == 255 or not 0 < white < 65536:
            return None
        check_pixels(path, height, width)
        channels = 3 if kind in (3, 6) else 1
        count = width * height * channels
        file.seek(found.end())
        dtype = np.dtype(np.uint8 if white < 256 else ">u2")
        if kind in (5, 6):
            values = np.frombuffer(file.read(count * dtype.itemsize), dtype)
        else:
            text = re.sub(rb"#[^\r\n]*", b"", file.read())
            values = np.array(text.split()[:count], dtype=np.int64)
    if values.size != count:
        raise ValueError(f"{values.size} of {count} numbers")
    if values.max() > white or values.min() < 0:
        raise ValueError(f"numbers above {white}, which is white")
    native = np.uint8 if white < 256 else np.uint16
    return values.astype(native).reshape(height, width, channels), white
