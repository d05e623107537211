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

from saccade.data.shapes import OddShapeError

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
        OddShapeError: no list of bytes, a cut end, or not `height` x `width` pixels.
    """
    mask = np.zeros(height * width, dtype=bool)
    starts, stops = decode_runs(rle, height, width)
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        mask[start:stop] = True
    return mask.reshape(height, width)


def decode_runs(rle: Any, height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first pixels, and those after the last, of the runs in which alpha is not 0.

    Pixels are counted row after row. What is decoded grows with the bytes, not with the image.

    Raises:
        OddShapeError: as `decode_brush`.
    """
    data = _checked_bytes(rle)
    if len(data) * 8 < _HEADER_BITS:
        raise OddShapeError("brush RLE: shorter than its header")
    reader = _Reader(data)
    count = reader.take(32)
    value_bits = reader.take(5) + 1
    sizes = [reader.take(4) + 1 for _ in range(4)]
    if count != _CHANNELS * height * width:
        raise OddShapeError(
            f"brush RLE: {count} values, expected {_CHANNELS} for each of {width} x {height} pixels"
        )
    if value_bits != _VALUE_BITS:
        raise OddShapeError(f"brush RLE: values of {value_bits} bits, expected {_VALUE_BITS}")
    runs: list[tuple[int, int]] = []
    done = 0
    while done < count:
        repeated = reader.take(1)
        length = reader.take(sizes[reader.take(2)]) + 1
        if done + length > count:
            raise OddShapeError("brush RLE: more values than its header says")
        first, last = done // _CHANNELS, (done + length) // _CHANNELS  # whose alpha is in the piece
        if not repeated:
            alpha = reader.take_bytes(length)[(_CHANNELS - 1 - done) % _CHANNELS :: _CHANNELS]
            edges = np.flatnonzero(np.diff(alpha != 0, prepend=False, append=False)) + first
            runs += zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        elif reader.take(8) and first < last:
            if runs and runs[-1][1] == first:
                runs[-1] = runs[-1][0], last
            else:
                runs.append((first, last))
        done += length
    starts, stops = np.array(runs, dtype=np.int64).reshape(-1, 2).T
    return starts, stops


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
            raise OddShapeError("brush RLE: the end is missing")
        window = int.from_bytes(self._data[first : first + 5].ljust(5, b"\0"), "big")
        return window >> (40 - offset - bits) & ((1 << bits) - 1)

    def take_bytes(self, count: int) -> NDArray[np.uint8]:
        """The next bytes, wherever they begin."""
        first, offset = divmod(self._place, 8)
        self._place += 8 * count
        if self._place > 8 * len(self._data):
            raise OddShapeError("brush RLE: the end is missing")
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
        raise OddShapeError("brush RLE: expected a list of bytes")
    try:
        return bytes(rle)
    except (TypeError, ValueError) as error:
        raise OddShapeError("brush RLE: expected whole numbers in 0..255") from error
