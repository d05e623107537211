"""Whether a NIfTI file has all of its pixels: SimpleITK fills what is missing with 0 and is silent.

The header is that of https://nifti.nimh.nih.gov: its size, 348 or 540, tells the byte order.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any

from saccade.errors import InputError

_HEADER = 544
_BLOCK = 1 << 22


def refuse_truncated(path: Path) -> None:
    """Raise InputError where a file ends before its last pixel.

    Example:
        >>> Path("a.nii").write_bytes(struct.pack("<i", 348) + bytes(200))
        204
        >>> refuse_truncated(Path("a.nii"))
        Traceback (most recent call last):
        saccade.errors.InputError: a.nii: NIfTI that is truncated, its header is not whole
    """
    packed = path.name.lower().endswith(".gz")
    try:
        with gzip.open(path) if packed else open(path, "rb") as file:
            needed = _bytes_needed(path, file.read(_HEADER))
            there = _length(file, needed) if packed else path.stat().st_size
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: NIfTI that is truncated or damaged ({error})") from error
    if there < needed:
        raise InputError(f"{path}: NIfTI that is truncated: {there} bytes of {needed}")


def _bytes_needed(path: Path, header: bytes) -> int:
    """Where the last pixel ends; 0 where the header is of another kind, which its reader says."""
    size = int.from_bytes(header[:4], "little")
    order = "<" if size in (348, 540) else ">"
    size = int.from_bytes(header[:4], "little" if order == "<" else "big")
    if size not in (348, 540):
        return 0
    if len(header) < size:
        raise InputError(f"{path}: NIfTI that is truncated, its header is not whole")
    if size == 348:
        dims = struct.unpack_from(f"{order}8h", header, 40)
        bits = struct.unpack_from(f"{order}h", header, 72)[0]
        offset = struct.unpack_from(f"{order}f", header, 108)[0]
        inside = header[344:347] == b"n+1"
    else:
        dims = struct.unpack_from(f"{order}8q", header, 16)
        bits = struct.unpack_from(f"{order}h", header, 14)[0]
        offset = struct.unpack_from(f"{order}q", header, 168)[0]
        inside = header[4:7] == b"n+2"
    if not inside:  # pixels are in a file of their own
        return 0
    counts = [max(1, n) for n in dims[1 : 1 + min(7, max(0, dims[0]))]]
    return int(int(offset) + math.prod(counts) * bits // 8)


def _length(file: Any, enough: int) -> int:
    """The length of what is unpacked, read no further than needed."""
    length = file.tell()
    while length < enough:
        block = len(file.read(min(_BLOCK, enough - length)))
        if not block:
            break
        length += block
    return int(length)
