"""PGM, PPM and PFM files of more than 8 bits or of another white, whose numbers Pillow loses.

Pillow scales grey values to its own white, colours of 16 bits to 8, and reads no colours of floats.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.images.header import check_pixels

# Magic number, width, height, white; comments may stand between them.
_HEADER = re.compile(rb"P([2356])" + rb"(?:\s*#[^\r\n]*[\r\n]|\s)+(\d{1,9})" * 3 + rb"(?:\s)")


_FLOATS = re.compile(rb"P([fF])\s+(\d{1,9})\s+(\d{1,9})\s+(-?[\d.eE+]{1,20})\s")


def read_netpbm(path: Path) -> tuple[NDArray[Any], int | None] | None:
    """The numbers of a PGM, PPM or PFM file, (H, W, 1 or 3), and which is white if they say so.

    None: it is another file, or its white is 255, so that nothing of it is lost elsewhere.

    Raises:
        ValueError: numbers are missing, or above white.
        InputError: too many pixels.
    """
    with open(path, "rb") as file:
        start = file.read(4096)
        floats = _FLOATS.match(start)
        if floats is not None:
            file.seek(floats.end())
            return _read_floats(path, floats, file.read()), None
        found = _HEADER.match(start)
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


def pfm_size(start: bytes) -> tuple[int, int] | None:
    """(H, W) of a PFM file from its first bytes; None for others."""
    found = _FLOATS.match(start)
    return None if found is None else (int(found[3]), int(found[2]))


def _read_floats(path: Path, header: re.Match[bytes], data: bytes) -> NDArray[np.float32]:
    width, height = int(header[2]), int(header[3])
    check_pixels(path, height, width)
    channels = 3 if header[1] == b"F" else 1
    order = "<" if float(header[4]) < 0 else ">"
    count = width * height * channels
    values = np.frombuffer(data, f"{order}f4", count)  # ValueError where numbers are missing
    rows = values.reshape(height, width, channels)[::-1]  # from the bottom up
    return rows.astype(np.float32)
