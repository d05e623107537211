"""A part of a TIFF page, of which only the strips or tiles that it touches are decoded."""

import math
import threading
from collections import OrderedDict
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.images.segments import SegmentDecoder

_REMEMBERED = 64 * 2**20  # bytes of decoded strips: windows one beside the other share them


class TileReader:
    """Reads parts of the pages of an opened TIFF, for one thread at a time.

    Args:
        file: binary file of the TIFF, with `size`, `seek` and `read`.
        keyframe: page of tifffile that is like all others in everything but where they lie.
    """

    def __init__(self, file: Any, keyframe: Any) -> None:
        self._file, self._keyframe = file, keyframe
        self._decoder = SegmentDecoder(keyframe)
        planes, depth, height, width, samples = self._shaped = keyframe.shaped
        tiled = keyframe.is_tiled
        self._thick = keyframe.tiledepth if tiled else 1
        self._high = keyframe.tilelength if tiled else min(keyframe.rowsperstrip, height)
        self._wide = keyframe.tilewidth if tiled else width
        self._grid = (
            planes,
            math.ceil(depth / self._thick),
            math.ceil(height / self._high),
            math.ceil(width / self._wide),
        )
        self._samples = samples
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, int], NDArray[Any] | None] = OrderedDict()
        self._bytes = 0

    def read(self, page: Any, rows: slice, columns: slice) -> NDArray[Any]:
        """A part of a page in tifffile's layout: (planes, depth, rows, columns, samples).

        Args:
            page: of tifffile, or one of its frames.
            rows: from a first to a last but one within the page, step 1.
            columns: from a first to a last but one within the page, step 1.

        Raises:
            ValueError: a strip or tile is missing, cut off or too short.
            Exception: nearly any, where one is damaged.
        """
        planes, depth = self._shaped[:2]
        size = rows.stop - rows.start, columns.stop - columns.start
        result = np.empty((planes, depth, *size, self._samples), self._keyframe.dtype)
        touched = (
            range(self._grid[0]),
            range(self._grid[1]),
            range(rows.start // self._high, -(-rows.stop // self._high)),
            range(columns.start // self._wide, -(-columns.stop // self._wide)),
        )
        for p, d, r, c in product(*touched):
            segment = self._segment(page, int(np.ravel_multi_index((p, d, r, c), self._grid)))
            y, inner_y = _overlap(r * self._high, self._high, rows)
            x, inner_x = _overlap(c * self._wide, self._wide, columns)
            place = result[p, d * self._thick : (d + 1) * self._thick, y, x]
            if segment is None:  # GDAL leaves out what is empty
                place[...] = self._keyframe.nodata
            else:
                place[...] = segment[: place.shape[0], inner_y, inner_x]
        return result

    def _segment(self, page: Any, index: int) -> NDArray[Any] | None:
        key = id(page), index
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            segment = self._decode(page, index)
            self._known[key] = segment
            self._bytes += 0 if segment is None else segment.nbytes
            while self._bytes > _REMEMBERED and len(self._known) > 1:
                _, old = self._known.popitem(last=False)
                self._bytes -= 0 if old is None else old.nbytes
            return segment

    def _decode(self, page: Any, index: int) -> NDArray[Any] | None:
        what = "tile" if self._keyframe.is_tiled else "strip"
        if index >= min(len(page.dataoffsets), len(page.databytecounts)):
            raise ValueError(f"{what} {index} is missing")
        start, count = page.dataoffsets[index], page.databytecounts[index]
        if start + count > self._file.size:
            raise ValueError(f"{what} {index} lies behind the end of the file")
        data = None
        if count:
            self._file.seek(start)
            data = self._file.read(count)
        try:
            segment = self._decoder.decode(data, index)[0]
        except Exception as error:
            raise ValueError(f"{what} {index} is damaged: {error}") from error
        return None if segment is None else np.asarray(segment)


def _overlap(start: int, length: int, wanted: slice) -> tuple[slice, slice]:
    """Where a segment meets what is wanted: within that, and within the segment."""
    first, last = max(start, wanted.start), min(start + length, wanted.stop)
    return (
        slice(first - wanted.start, last - wanted.start),
        slice(first - start, last - start),
    )
