"""TIFF, BigTIFF, OME-TIFF and hyperstacks of ImageJ: pages and tiles are read as they are needed.

What holds photographs (JPEG, CMYK, palettes, facsimile) is decoded whole by Pillow, see
`saccade.images.readers.pictures`.
"""

import math
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import one_line
from saccade.images.axes import plain_axes
from saccade.images.header import oriented
from saccade.images.image import ArrayLike, Image
from saccade.images.lazy import LazyArray
from saccade.images.readers.pictures import open_picture
from saccade.images.segments import page_values
from saccade.images.tiff import MIN_IS_WHITE, PALETTE, RGB, TiffInfo, tiff_info
from saccade.images.tiff_words import georeference_of, words_of
from saccade.images.tiles import TileReader

_WHOLE_BITS = (8, 16, 32, 64)
_GEO_TAGS = (33550, 33922, 34264, 34735, 34736, 34737)


def open_tiff(path: Path, *, series: int | None = None, axes: str | None = None) -> Image:
    """Open a TIFF; nothing but its headers is read.

    Args:
        path: of the file.
        series: index of one of the images that lie side by side in the file; None: the only one.
        axes: a letter for each dimension, where the file does not say it or is wrong.

    Raises:
        InputError: pages of different sizes and no `series`, axes that are not understood, or a
            damaged file.
    """
    info = tiff_info(path)
    if info is None or not info.numbers or info.photometric == PALETTE:
        return open_picture(path, axes=axes)
    try:
        return _open(path, info, series, axes)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # tifffile raises nearly anything on a damaged file
        raise InputError(f"{path}: TIFF that cannot be read ({one_line(error)[:160]})") from error


def _open(path: Path, info: TiffInfo, series: int | None, axes: str | None) -> Image:
    import tifffile

    # The descriptions of OME-TIFF may name any other file, which is not opened.
    tiff = tifffile.TiffFile(path, _multifile=False)
    try:
        found, index, remarks = _choose(path, tiff, series)
        page = found.keyframe
        words = words_of(tiff, page, index)
        place, damage = georeference_of(page)
        letters, said = plain_axes(path, axes or found.axes, found.shape, told=axes is not None)
        array = _array(path, tiff, found, info)
        levels = tuple(_array(path, tiff, level, info) for level in found.levels[1:])
        image = Image(
            array,
            letters,
            channels=words.channels if "C" in letters else (),
            pixel_size=words.pixel_size,
            unit=words.unit,
            window=words.window,
            white=words.white or _white(info, array),
            nodata=info.nodata,
            colors=info.photometric == RGB and "S" in found.axes,
            georeference=place,
            levels=levels,
            remarks=(*remarks, *words.remarks, *damage, *_missing(tiff, found), *said),
            source=path,
            kind="ome-tiff" if tiff.is_ome else "imagej" if tiff.is_imagej else "tiff",
            metadata=_metadata(tiff, page),
        )
    except BaseException:
        tiff.close()
        raise
    if not any(isinstance(part, LazyArray) for part in (array, *levels)):
        tiff.close()
    return image


def _choose(path: Path, tiff: Any, series: int | None) -> tuple[Any, int, tuple[str, ...]]:
    """A series, its index and remarks; masks and smaller copies of the first do not count."""
    every = [s for s in tiff.series if not (s.keyframe.is_mask or s.keyframe.is_reduced)]
    every = every or list(tiff.series)
    if series is not None:
        if not 0 <= series < len(every):
            raise InputError(f"{path}: series {series}, expected 0 to {len(every) - 1}")
        return every[series], series, ()
    if len(every) > 1 and every[0].kind in ("generic", "uniform", "shaped"):
        sizes = dict.fromkeys(f"{s.keyframe.imagewidth} x {s.keyframe.imagelength}" for s in every)
        kinds = "different sizes" if len(sizes) > 1 else "different kinds"
        raise InputError(
            f"{path}: {len(every)} groups of pages of {kinds} ({', '.join([*sizes][:4])}); "
            f"say which, series 0 to {len(every) - 1}"
        )
    remarks = (f"the first of {len(every)} series",) if len(every) > 1 else ()
    return every[0], 0, remarks


def _missing(tiff: Any, series: Any) -> tuple[str, ...]:
    if tiff.is_ome and series.kind != "ome":
        return ("its OME description does not fit its pages, which are read as they lie there",)
    gone = sum(page is None for page in series.pages)
    return (f"{gone} pages are not in this file and were filled with 0",) if gone else ()


def _white(info: TiffInfo, array: ArrayLike) -> int | None:
    return 2**info.bits - 1 if array.dtype.kind == "u" and info.bits < 16 else None


def _metadata(tiff: Any, page: Any) -> dict[str, Any]:
    tags = {code: page.tags[code] for code in _GEO_TAGS if code in page.tags}
    found: dict[str, Any] = {
        "geotiff": tuple((code, int(t.dtype), t.count, t.value) for code, t in tags.items())
    }
    if tiff.is_ome:
        found["ome"] = tiff.ome_metadata
    if tiff.is_imagej:
        found["imagej"] = dict(tiff.imagej_metadata or {})
    return {key: value for key, value in found.items() if value}


def _array(path: Path, tiff: Any, series: Any, info: TiffInfo) -> ArrayLike:
    """The numbers of a series, mapped where they lie in the file as they are, else lazy."""
    page, shape = series.keyframe, tuple(series.shape)
    if page.dtype is None:
        raise ValueError(f"{page.bitspersample} bits of format {page.sampleformat}")
    plain = info.orientation == 1 and info.photometric != MIN_IS_WHITE
    if series.dataoffset is not None and plain and page.bitspersample in _WHOLE_BITS:
        needed = series.dataoffset + math.prod(shape) * page.dtype.itemsize
        if needed > os.stat(path).st_size:
            raise InputError(f"{path}: truncated, its pixels should end at byte {needed}")
        dtype = page.dtype.newbyteorder(tiff.byteorder)
        return np.memmap(path, dtype, "r", offset=series.dataoffset, shape=shape)
    leading = shape[: len(shape) - page.ndim]
    if math.prod(leading) != len(series.pages) or shape[len(leading) :] != tuple(page.shape):
        raise ValueError(f"{len(series.pages)} pages of shape {page.shape} for shape {shape}")
    reader = _Pages(path, tiff, series, info)
    return LazyArray(leading, reader.shape, reader.dtype, reader.read)


class _Pages:
    """The pages of a series, upright, with large values bright."""

    def __init__(self, path: Path, tiff: Any, series: Any, info: TiffInfo) -> None:
        page = series.keyframe
        self._path, self._series, self._info = path, series, info
        self._axes, shape = page.axes, tuple(page.shape)
        packed = int(page.bitspersample) not in (1, *_WHOLE_BITS)
        self._whole = packed or info.orientation != 1
        self._tiles = None if self._whole else TileReader(tiff.filehandle, page)
        self.dtype = np.dtype(page.dtype)
        if self._whole and info.orientation >= 5:
            turned = {"Y": "X", "X": "Y"}
            shape = tuple(shape[page.axes.index(turned.get(axis, axis))] for axis in page.axes)
        self.shape = shape
        self._size = os.stat(path).st_size
        weakref.finalize(self, tiff.close)

    def read(self, index: int, box: tuple[slice, ...]) -> NDArray[Any]:
        """A part of a page in the order of its axes."""
        try:
            page = self._series.pages[index]
            if page is None:
                return np.zeros([part.stop - part.start for part in box], self.dtype)
            values = self._all(page, box) if self._whole else self._part(page, box)
        except MemoryError:
            raise
        except Exception as error:
            raise InputError(
                f"{self._path}: page {index + 1} cannot be read ({one_line(error)[:160]})"
            ) from error
        inverted = self._info.photometric == MIN_IS_WHITE and self.dtype.kind == "u"
        if inverted:
            white = 2 ** min(self._info.bits, self.dtype.itemsize * 8) - 1
            values = self.dtype.type(white) - values
        return values

    def _part(self, page: Any, box: tuple[slice, ...]) -> NDArray[Any]:
        assert self._tiles is not None
        rows, columns = box[self._axes.index("Y")], box[self._axes.index("X")]
        values = self._tiles.read(page, rows, columns)
        layout = "SZYXC" if self._axes.index("Y") and self._axes[0] in "SC" else "PZYXS"
        wanted = [layout.index(axis) for axis in self._axes]
        rest = [axis for axis in range(5) if axis not in wanted]
        values = values.transpose([*rest, *wanted]).reshape([values.shape[i] for i in wanted])
        kept = [
            slice(None) if axis in "YX" else part
            for axis, part in zip(self._axes, box, strict=True)
        ]
        return values[tuple(kept)]

    def _all(self, page: Any, box: tuple[slice, ...]) -> NDArray[Any]:
        values = page_values(page, self._size)  # (H, W, C), the first plane of a volume
        values = oriented(values, self._info.orientation)
        order = ["YXS".index("S" if axis == "C" else axis) for axis in self._axes]
        if len(order) == 2:
            values = values[..., 0]
        return values.transpose(order)[box]
