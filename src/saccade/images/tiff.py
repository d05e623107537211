"""TIFF files as tifffile sees them: pages, bands, what the numbers mean, and the numbers.

Pillow decodes few of the kinds of TIFF there are, and takes a fourth band for transparency. What
has colours of 1 to 64 bits is read here; Pillow has the compressed photographs (JPEG), facsimile,
CMYK, YCbCr and palettes.
"""

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images.header import check_pixels
from saccade.images.segments import page_values
from saccade.images.tiff_words import Words, words_of

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE = 0, 1, 2, 3
# What tifffile thinks of a damaged file would go to the terminal; our errors say it.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_LINEAR_RAW = 34892  # of DNG
_STORED_AS_NUMBERS = (1, 5, 8, 32773, 32946, 34925, 50000)  # what no picture is needed to decode
_FACSIMILE = (2, 3, 4, 32771)
_REDUCED, _MASK = 1, 4  # of NewSubfileType
_MOST_LOOKED_AT = 64
_ORIENTATION, _NODATA = 274, 42113
_UNDESCRIBED = "its description of pages makes no sense, they were counted"


@dataclass(frozen=True)
class TiffInfo:
    """What the header of the first page says.

    Attributes:
        height: as stored.
        width: as stored.
        index: of the page in the file; a preview may come before it.
        pages: number of pages, planes, channels and times of the file together.
        described: whether what the file says of its pages makes sense, or says nothing.
        count: of bands.
        extras: what ExtraSamples says of the last bands.
        photometric: 0 small is bright, 1 small is dark, 2 RGB, 3 palette, or another.
        bits: of each number.
        numbers: the page is stored as numbers, so that `page_values` reads it.
        facsimile: 1-bit pixels in one of the compressions for facsimile.
        orientation: 1..8.
        nodata: the value that GDAL's tag calls "no data".
    """

    height: int
    width: int
    index: int
    pages: int
    described: bool
    count: int
    extras: tuple[int, ...]
    photometric: int
    bits: int
    numbers: bool
    facsimile: bool
    orientation: int
    nodata: float | None

    @property
    def remarks(self) -> tuple[str, ...]:
        """That there are more pages, and that they could only be counted, if so."""
        found = (f"the first of {self.pages} pages",) if self.pages > 1 else ()
        return found if self.described else (*found, _UNDESCRIBED)


def is_tiff(path: Path) -> bool:
    """Whether a file begins as TIFF or BigTIFF files do."""
    with open(path, "rb") as file:
        return starts_as_tiff(file)


def starts_as_tiff(file: Any) -> bool:
    """Whether what is read from a binary file begins as TIFF and BigTIFF do; it is rewound."""
    start = file.read(4)
    file.seek(0)
    return start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def tiff_info(file: Any) -> TiffInfo | None:
    """The header of a TIFF from its path or the opened file; None where tifffile cannot tell."""
    try:
        with _opened(file) as tiff:
            return _info(tiff, *_first_page(tiff))
    except MemoryError:
        raise
    except Exception:  # Pillow may know more, or say what is wrong
        return None


def tiff_values(path: Path, shape: tuple[int, int] | None = None) -> NDArray[Any]:
    """The numbers of the first page, (H, W, C), as stored: neither turned nor inverted.

    Args:
        path: of the file.
        shape: (H, W) upright that it must have; checked before anything is decoded.

    Raises:
        InputError: too many pixels, or another size.
        Exception: nearly any, where the page is damaged.
    """
    with _opened(path) as tiff:
        page = _first_page(tiff)[0]
        height, width = page.imagelength, page.imagewidth
        lies = shape not in (None, (height, width)) and shape == (width, height)
        check_pixels(path, height, width, None if lies else shape)
        return page_values(page, os.stat(path).st_size)


def tiff_says(path: Path) -> Words:
    """What a TIFF says of its first page besides its numbers; nothing where it is damaged."""
    try:
        with _opened(path) as tiff:
            return words_of(tiff, _first_page(tiff)[0])
    except MemoryError:
        raise
    except Exception:  # the pixels may be whole
        return Words()


@contextmanager
def _opened(file: Any) -> Iterator[Any]:
    import tifffile

    # No series: those of OME-TIFF may name other files.
    with tifffile.TiffFile(file) as tiff:
        yield tiff


def _first_page(tiff: Any) -> tuple[Any, int]:
    """The first page that is no preview of another, and its index."""
    first = tiff.pages.first
    if not int(first.subfiletype) & _REDUCED:
        return first, 0
    for index in range(1, min(len(tiff.pages), _MOST_LOOKED_AT)):
        page = tiff.pages[index]
        if not int(page.subfiletype) & (_REDUCED | _MASK):
            return page, index
    return first, 0


def _info(tiff: Any, page: Any, index: int) -> TiffInfo:
    count = int(page.samplesperpixel)
    orientation = page.tags.valueof(_ORIENTATION, default=1)
    photometric = int(page.photometric)
    photometric = RGB if photometric == _LINEAR_RAW else photometric
    stored = int(page.compression) in _STORED_AS_NUMBERS and page.dtype is not None and count > 0
    told = _told_pages(tiff, page)
    return TiffInfo(
        height=int(page.imagelength),
        width=int(page.imagewidth),
        index=index,
        pages=max(_count_pages(tiff, page), told or 1),
        described=told is not None,
        count=count,
        extras=tuple(int(kind) for kind in page.extrasamples),
        photometric=photometric,
        bits=int(page.bitspersample),
        numbers=stored and photometric in (MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE),
        facsimile=int(page.compression) in _FACSIMILE,
        orientation=orientation if orientation in range(1, 9) else 1,
        nodata=_nodata(page),
    )


def _nodata(page: Any) -> float | None:
    text = page.tags.valueof(_NODATA, default=None)
    try:
        return None if text is None else float(str(text).strip("\0 "))
    except ValueError:
        return None


def _count_pages(tiff: Any, page: Any) -> int:
    """Pages, without previews, masks and the smaller levels of a pyramid."""
    total = len(tiff.pages)
    if total <= _MOST_LOOKED_AT:
        total = sum(_is_page(tiff.pages[i], page) for i in range(total))
    return total * int(page.imagedepth)


def _is_page(other: Any, page: Any) -> bool:
    size, first = (other.imagewidth, other.imagelength), (page.imagewidth, page.imagelength)
    if size == first:
        return not int(other.subfiletype) & _MASK
    if int(other.subfiletype) & (_REDUCED | _MASK):
        return False
    scale = first[0] / max(1, size[0])
    return not (scale > 1 and math.isclose(first[1] / scale, size[1], abs_tol=2.0))


def _told_pages(tiff: Any, page: Any) -> int | None:
    """What the descriptions of ImageJ and tifffile say, which may keep all planes in one page.

    None where they make no sense.
    """
    try:
        if tiff.is_imagej:
            return int(tiff.imagej_metadata.get("images", 1))
        if tiff.is_shaped and len(tiff.pages) == 1:
            return int(math.prod(tiff.shaped_metadata[0]["shape"]) // math.prod(page.shape))
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
        return None  # free text, which anybody may have written
    return 1


def refuse_tiff(path: Path, error: Exception) -> InputError:
    """The error for a page that could not be decoded."""
    from saccade.files import one_line

    return InputError(f"{path}: TIFF that cannot be read ({one_line(error)[:160]})")
