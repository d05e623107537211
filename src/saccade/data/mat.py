"""Arrays of MATLAB's files (level 5), as SBD and PASCAL-Context keep masks in them.

SciPy's reader ends the process on some damaged files, so the few kinds that are needed are read
here: arrays of numbers, and structures of them. Format: "MAT-File Format", The MathWorks.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import check_readable, reading

_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"} | {
    12: "i8",
    13: "u8",
}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4"} | {
    14: "i8",
    15: "u8",
}
_MATRIX, _COMPRESSED, _STRUCTURE = 14, 15, 2
_MOST = 1 << 28
"""Bytes that a compressed part may have unpacked."""


def read_mat_array(path: Path, *names: str) -> NDArray[Any]:
    """The first array of numbers with one of these names.

    Args:
        path: of the file.
        names: of a variable, or "VARIABLE.FIELD" of a structure with one entry.

    Raises:
        InputError: the file is missing, damaged, of another level, or has none of the names.
    """
    path = check_readable(path)
    with reading(path, f"expected a .mat file of level 5 with {' or '.join(names)}"):
        data = path.read_bytes()
        mark = data[126:128]
        if data[:6] != b"MATLAB" or mark not in (b"IM", b"MI"):
            raise ValueError("another kind of file")
        order = "<" if mark == b"IM" else ">"
        for kind, content in _elements(data[128:], order):
            if kind == _COMPRESSED:
                kind, content = next(_elements(_unpacked(content), order))
            found = _find(content, order, names) if kind == _MATRIX else None
            if found is not None:
                return found
        raise ValueError("no such array")


def _find(content: bytes, order: str, names: tuple[str, ...]) -> NDArray[Any] | None:
    """The array of a matrix, or of a field of it, if one of the names is its own."""
    parts = _elements(content, order)
    kind, size, name = _head(parts, order)
    if name in names:
        return _array(kind, size, parts, order)
    fields = [wanted.partition(".")[2] for wanted in names if wanted.startswith(f"{name}.")]
    if kind != _STRUCTURE or not fields or math.prod(size) != 1:
        return None
    (length,) = struct.unpack(f"{order}i", next(parts)[1][:4])
    if length < 1:
        raise ValueError("field names without letters")
    texts = next(parts)[1]
    for place, (_, field) in zip(range(0, len(texts), length), parts, strict=False):
        if _text(texts[place : place + length]) in fields:
            inner = _elements(field, order)
            kind, size, _ = _head(inner, order)
            return _array(kind, size, inner, order)
    return None


def _head(parts: Iterator[tuple[int, bytes]], order: str) -> tuple[int, tuple[int, ...], str]:
    """Class, size and name of a matrix."""
    flags, size, name = (next(parts)[1] for _ in range(3))
    (kind,) = struct.unpack(f"{order}I", flags[:4])
    counts = struct.unpack(f"{order}{len(size) // 4}i", size[: len(size) // 4 * 4])
    if min(counts, default=-1) < 0:
        raise ValueError("a size below 0")
    return kind & 0xFF, counts, _text(name)


def _array(
    kind: int, size: tuple[int, ...], parts: Iterator[tuple[int, bytes]], order: str
) -> NDArray[Any]:
    stored, data = next(parts)
    values = np.frombuffer(data, np.dtype(f"{order}{_NUMBERS[stored]}"))
    if len(values) != math.prod(size):
        raise ValueError(f"{len(values)} numbers for {' x '.join(map(str, size))}")
    # Small values are stored in small types, whatever the type of the array.
    return values.reshape(size, order="F").astype(_CLASSES[kind])


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of each part of a file, or of a matrix."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        if kind >> 16:  # four bytes or fewer, beside their type
            yield kind & 0xFFFF, data[place + 4 : place + 4 + min(4, kind >> 16)]
            place += 8
            continue
        if place + 8 + size > len(data):
            raise ValueError("cut off")
        yield kind, data[place + 8 : place + 8 + size]
        place += 8 + size + (0 if kind == _COMPRESSED else -size % 8)


def _unpacked(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    content = stream.decompress(data, _MOST)
    if not stream.eof:
        raise ValueError("cut off, or too large")
    return content


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("ascii", "replace")


def read_mat_mask(path: Path) -> NDArray[np.integer[Any]]:
    """The mask of a file of SBD (GTcls.Segmentation) or PASCAL-Context (LabelMap), (H, W).

    Raises:
        InputError: what `read_mat_array` raises, or no whole numbers in two axes.
    """
    values = read_mat_array(path, "GTcls.Segmentation", "LabelMap")
    if values.ndim != 2 or not values.size:
        raise InputError(f"{path}: an array of size {values.shape}, expected (H, W)")
    if values.dtype.kind == "f":
        whole = values.astype(np.int64) if np.isfinite(values).all() else values
        if (whole != values).any() or values.dtype == whole.dtype:
            raise InputError(f"{path}: values that are no whole numbers, expected labels")
        return whole
    return values
