"""Label Studio's run lengths for brush labels: rle-pack, bit by bit.

A 32-bit count of values, 5 bits for the size of a value less one, four times 4 bits for the sizes
of lengths less one. Then pieces: a bit that says whether one value is repeated, two bits for which
size of length, the length less one, and the value or the values. The values are the bytes of an
RGBA image; the mask is in its alpha channel.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError

_VALUE_BITS = 8
_LENGTH_BITS = (3, 4, 8, 16)
_CHANNELS = 4
_LONGEST = 2**16
_HEADER_BITS = 32 + 5 + 4 * 4


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """Return a mask (H, W) as the bytes of Label Studio's "rle": 255 in all channels, or 0."""
    flat = np.asarray(mask, dtype=bool).ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    lengths = _CHANNELS * np.diff(ends, prepend=0)
    values = np.where(flat[ends - 1], 255, 0)
    pieces = -(-lengths // _LONGEST)
    last = np.cumsum(pieces) - 1
    split = np.full(int(pieces.sum()), _LONGEST)
    split[last] = lengths - (pieces - 1) * _LONGEST
    packed = _pack(split, np.repeat(values, pieces), _CHANNELS * flat.size)
    return [int(byte) for byte in packed]


def decode_brush(rle: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask (H, W) of Label Studio's "rle": True where alpha is not 0.

    Raises:
        InputError: no list of bytes, a cut end, or not `height` x `width` pixels.
    """
    data = _checked_bytes(rle)
    if len(data) * 8 < _HEADER_BITS:
        raise InputError("brush RLE: shorter than its header")
    reader = _Reader(data)
    count = reader.take(32)
    value_bits = reader.take(5) + 1
    sizes = [reader.take(4) + 1 for _ in range(4)]
    if count != _CHANNELS * height * width:
        raise InputError(
            f"brush RLE: {count} values, expected {_CHANNELS} for each of {width} x {height} pixels"
        )
    if value_bits != _VALUE_BITS:
        raise InputError(f"brush RLE: values of {value_bits} bits, expected {_VALUE_BITS}")
    flat = np.empty(count, dtype=np.uint8)
    done = 0
    while done < count:
        repeated = reader.take(1)
        length = reader.take(sizes[reader.take(2)]) + 1
        if done + length > count:
            raise InputError("brush RLE: more values than its header says")
        flat[done : done + length] = reader.take(8) if repeated else reader.take_bytes(length)
        done += length
    return np.asarray(flat.reshape(height, width, _CHANNELS)[..., -1] != 0)


class _Reader:
    """Bits of a byte string, from the highest of the first byte on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, bits: int) -> int:
        """The next bits as a number."""
        first, offset = divmod(self._place, 8)
        self._place += bits
        if self._place > 8 * len(self._data):
            raise InputError("brush RLE: the end is missing")
        window = int.from_bytes(self._data[first : first + 5].ljust(5, b"\0"), "big")
        return window >> (40 - offset - bits) & ((1 << bits) - 1)

    def take_bytes(self, count: int) -> NDArray[np.uint8]:
        """The next bytes, wherever they begin."""
        first, offset = divmod(self._place, 8)
        self._place += 8 * count
        if self._place > 8 * len(self._data):
            raise InputError("brush RLE: the end is missing")
        raw = np.frombuffer(self._data[first : first + count + 1].ljust(count + 1, b"\0"), np.uint8)
        wide = raw.astype(np.uint16)
        joined = (wide[:-1] << 8 | wide[1:]) >> (8 - offset)
        return np.asarray(joined & 255, dtype=np.uint8)


def _pack(lengths: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.uint8]:
    """Pieces of one repeated value each, as bytes: every bit of every piece at once."""
    which = np.searchsorted([8, 16, 256], lengths)
    size = np.asarray(_LENGTH_BITS)[which]
    # The bits of a piece as one number: 1, which size, length - 1, value.
    code = 4 + which
    code = (code << size | (lengths - 1)) << _VALUE_BITS | values
    width = 3 + size + _VALUE_BITS
    start = _HEADER_BITS + np.cumsum(width) - width
    bits = np.zeros(int(start[-1] + width[-1]), dtype=np.uint8)
    bits[:_HEADER_BITS] = _header(count)
    for place in range(int(width.max())):
        there = width > place
        bits[start[there] + place] = code[there] >> (width[there] - 1 - place) & 1
    return np.packbits(bits)


def _header(count: int) -> NDArray[np.uint8]:
    text = f"{count:032b}{_VALUE_BITS - 1:05b}" + "".join(f"{n - 1:04b}" for n in _LENGTH_BITS)
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8) - ord("0")


def _checked_bytes(rle: Any) -> bytes:
    if not isinstance(rle, Sequence) or isinstance(rle, str):
        raise InputError("brush RLE: expected a list of bytes")
    try:
        return bytes(rle)
    except (TypeError, ValueError) as error:
        raise InputError("brush RLE: expected whole numbers in 0..255") from error
