"""The pixels of a TIFF page, of every compression that tifffile or Pillow's libtiff knows."""

import io
import math
import struct
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LARGE = 64 * 2**20
# Decoded bytes for each byte of the file: deflate reaches 1030. What a small file may ask for is
# bounded; other methods can do more for a blank page, but those are rare.
_MOST_TIMES_LARGER = 100
_ALWAYS = 256 * 2**20
_FLOAT_PREDICTOR = 3
_ZSTANDARD = (50000, 34926)


def page_values(page: Any, file_size: int) -> NDArray[Any]:
    """The numbers of a page of tifffile as stored, (H, W, C): of a volume its first plane.

    Raises:
        ValueError, or anything else that tifffile and Pillow raise: the page is damaged, or its
            compression unknown.
    """
    check_segments(page, file_size)
    shaped, bits = page.shaped, int(page.bitspersample)
    packed = bits < 16 and bits not in (1, 8)  # what tifffile unpacks with imagecodecs only
    if packed:
        _take_rows_for_bytes(page)
    array = page.asarray() if _decodes(page) else _by_libtiff(page)
    if array.size == 0:  # tifffile's answer to a page whose data is gone
        raise ValueError("no pixel data")
    planes, _, height, width, samples = shaped
    first = array.reshape(page.shaped)[:, 0]
    if packed:
        first = np.stack([_unpacked(plane[..., 0], bits, width * samples) for plane in first])
        first = first.reshape(planes, height, width, samples)
    if planes > 1:
        return np.ascontiguousarray(np.moveaxis(first[..., 0], 0, -1))
    return np.asarray(first.reshape(height, width, samples))


def check_segments(page: Any, file_size: int) -> None:
    """Raise ValueError where the strips or tiles of a page cannot be what its header says.

    Missing ones would be read as 0, and a header may promise more of them than a day decodes.
    """
    needed, there = math.prod(page.chunked), len(page.dataoffsets)
    if needed > there:
        raise ValueError(f"{needed} strips or tiles are needed, it has {there}")
    ends = zip(page.dataoffsets, page.databytecounts, strict=False)
    if max((start + count for start, count in ends), default=0) > file_size:
        raise ValueError("truncated: strips or tiles lie behind its end")
    segment = math.prod(page.chunks) * page.dtype.itemsize
    if segment > max(page.nbytes, _LARGE):
        raise ValueError(f"{page.nbytes} bytes in strips or tiles of {segment} are too many")
    if max(page.nbytes, segment) > max(_ALWAYS, _MOST_TIMES_LARGER * file_size):
        raise ValueError(f"the file is too small for {page.nbytes} bytes of pixels")


def _decodes(page: Any) -> bool:
    """Whether tifffile has the decoders: those of LZW, Zstandard and more are in imagecodecs."""
    import tifffile

    if page.compression in _ZSTANDARD and find_spec("imagecodecs") is None:
        return False  # tifffile looks for it in Python 3.14
    try:
        known = page.compression == 1 or tifffile.TIFF.DECOMPRESSORS[page.compression]
        return bool(known and (page.predictor == 1 or tifffile.TIFF.UNPREDICTORS[page.predictor]))
    except KeyError:
        return False


def _take_rows_for_bytes(page: Any) -> None:
    """Let tifffile take a page, whose pixels do not fill bytes, for one of 8 bits."""
    planes, depth, height, width, samples = page.shaped
    bits = samples * page.bitspersample
    if page.is_tiled:
        page.tilewidth = page.tilewidth * bits // 8  # a multiple of 16 pixels
    page.imagewidth = (width * bits + 7) // 8
    page.bitspersample, page.dtype, page._dtype = 8, np.dtype(np.uint8), np.dtype(np.uint8)
    page.samplesperpixel = planes
    page.shaped = (planes, depth, height, page.imagewidth, 1)
    page.shape, page.axes = page.shaped, "SZYXS"


def _unpacked(rows: NDArray[np.uint8], bits: int, count: int) -> NDArray[Any]:
    """Rows of bytes as rows of unsigned numbers of any bits, the highest bit first."""
    result = np.zeros((len(rows), count), np.uint8 if bits <= 8 else np.uint16)
    for row, target in zip(rows, result, strict=True):
        single = np.unpackbits(row)[: count * bits].reshape(count, bits)
        for place in range(bits):
            target |= single[:, place].astype(target.dtype) << (bits - 1 - place)
    return result


def _by_libtiff(page: Any) -> NDArray[Any]:
    decoder = SegmentDecoder(page)
    _, depth, length, width, _ = page.shaped
    result = np.zeros(page.shaped, page.dtype)
    for index in range(math.prod(page.chunked)):
        start, count = page.dataoffsets[index], page.databytecounts[index]
        data: bytes | None = None  # GDAL leaves out what is empty
        if count:
            page.parent.filehandle.seek(start)
            data = page.parent.filehandle.read(count)
        segment, (s, d, h, w, _), shape = decoder.decode(data, index)
        place = result[s, d : d + shape[0], h : h + shape[1], w : w + shape[2]]
        inside = None if segment is None else segment[: depth - d, : length - h, : width - w]
        place[...] = page.nodata if inside is None else inside
    return result


class SegmentDecoder:
    """Decodes the strips or tiles of the pages that are like one page.

    What tifffile has no decoder for goes to Pillow's libtiff, as if it were grey pixels of 8
    bits; tifffile still does byte order, differences, bits and geometry.

    Args:
        page: of tifffile; its compression is taken from it where Pillow decodes.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self._plain = _decodes(page)
        self._compression, self._predictor = int(page.compression), int(page.predictor)
        if not self._plain:
            page.compression = 1
            if self._predictor == _FLOAT_PREDICTOR:
                page.predictor = 1

    def decode(self, data: bytes | None, index: int) -> Any:
        """The numbers of a strip or tile, where it lies and its shape, as `page.decode` says."""
        page = self.page
        if data is None or self._plain:
            tables = {} if page.jpegtables is None else {"jpegtables": page.jpegtables}
            return page.decode(data, index, **tables)
        _, _, length, width, samples = page.shaped
        rows = page.tilelength if page.is_tiled else min(page.rowsperstrip, length)
        chunk_width = page.tilewidth if page.is_tiled else width
        row_bytes = (chunk_width * samples * page.bitspersample + 7) // 8
        strips = math.ceil(length / rows)
        high = rows if page.is_tiled else min(rows, length - index % strips * rows)
        if self._compression != 1:
            data = _decoded(data, self._compression, row_bytes, high)
        if self._predictor == _FLOAT_PREDICTOR:
            data = _float_differences(data, row_bytes, page)
        return page.decode(data, index)


def _decoded(data: bytes, compression: int, width: int, height: int) -> bytes:
    """Decode a segment to height rows of width bytes, as the only strip of a file of its own."""
    tags = [
        (256, width),
        (257, height),
        (258, 8),
        (259, compression),
        (262, 1),
        (273, 0),
        (277, 1),
        (278, height),
        (279, len(data)),
    ]
    start = 8 + 2 + 12 * len(tags) + 4
    tags[5] = (273, start)
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + directory + bytes(4)
    with Image.open(io.BytesIO(head + data), formats=("TIFF",)) as image:
        return image.tobytes()


def _float_differences(data: bytes, row_bytes: int, page: Any) -> bytes:
    """Undo the predictor for floats: bytes sorted by significance, as differences along a row."""
    size, step = page.dtype.itemsize, page.samplesperpixel if page.planarconfig == 1 else 1
    rows = np.frombuffer(data, np.uint8).reshape(-1, row_bytes // step, step)
    planes = np.add.accumulate(rows, axis=1, dtype=np.uint8).reshape(len(rows), size, -1)
    values = np.ascontiguousarray(planes.swapaxes(1, 2))  # most significant byte first
    little = page.parent.byteorder == "<"
    return (values[..., ::-1] if little else values).tobytes()
