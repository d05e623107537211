"""Which intensities become black and white, for values that leave most of their range unused.

Camera counts from 100 to 400 in 16 bits, 12 bits in 16, heights, floats of any unit: shown as
their type says, they would be one or two shades of grey. One rule serves files, arrays, napari
and the server:

1. Values of 8 bits, one bit, and floats in [0, 1] stay; so do 16 bits whose highest bit is used
   and that fill more than a sixteenth of their range, and 8 bits written twice (times 257).
2. All other values are stretched from the lowest to the highest that is no outlier. Outliers are
   further away from the 0.5 % to 99.5 % of the values than those are from each other: hot pixels
   are clipped, and a picture without any keeps its lowest and highest value.
3. NaN, infinity, more than 1e30 and what the file calls "no data" are no values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHARE = 0.005
_SAMPLED = 1_000_000  # values that percentiles are taken of, on a regular grid
_BLOCK = 4_000_000  # values that are worked on at once, so that a large image needs little memory
_FEWEST_SHARE = 1 / 16  # of the range: at most 16 of 256 levels would be left
_FLOAT_TOLERANCE = 1e-5  # resampling in float32 leaves [0, 1] by a few rounding errors
_NO_VALUE = 1e30  # GDAL and ESRI write +-3.4e38 and 1.8e308 where there is nothing, netCDF 1e36


@dataclass(frozen=True)
class Window:
    """The values that become black and white.

    Attributes:
        low: becomes 0.
        high: becomes 255.
        stretched: they are other than the data type's own black and white.
        outliers: values further out.

    >>> Window(100.0, 400.0, True, 0).low
    100.0
    """

    low: float
    high: float
    stretched: bool
    outliers: int


def row_blocks(array: NDArray[Any]) -> Iterator[slice]:
    """Slices of rows of an (H, W, ...) array, of a few million values each."""
    rows = max(1, _BLOCK // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, array.shape[0], rows):
        yield slice(start, start + rows)


def has_value(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_] | None:
    """Where an array has values that mean something; None: everywhere."""
    if values.dtype.kind != "f" and nodata is None:
        return None
    if values.dtype.kind == "f":
        found = np.asarray(np.isfinite(values))
        if values.dtype.itemsize > 2:
            with np.errstate(invalid="ignore"):
                found &= np.abs(values) < _NO_VALUE
    else:
        found = np.ones(values.shape, dtype=np.bool_)
    if nodata is not None and np.isfinite(nodata):
        kind = values.dtype.type
        with np.errstate(all="ignore"):
            found &= values != (kind(nodata) if values.dtype.kind == "f" else nodata)
    return found


def window_of(
    values: NDArray[Any], ignored: NDArray[np.bool_] | None, nodata: float | None, white: int | None
) -> Window | None:
    """The window of an image; None where it has no value at all.

    Args:
        values: (H, W, C) numbers.
        ignored: (H, W) where values do not count; None: nowhere.
        nodata: a value that means "nothing here".
        white: of unsigned integers with a white point, else None.
    """
    low, high = _bulk(values, ignored, nodata)
    if low > high:
        return None
    fence = (high - low) or np.inf
    inner, outer = _extremes(values, ignored, nodata, low - fence, high + fence)
    low, high = inner
    outliers = _outside(values, ignored, nodata, low, high) if outer != inner else 0
    if white is not None:
        few = high * 2 <= white or (high - low) < white * _FEWEST_SHARE
        if low < high and few and not (white == 65535 and _eight_bits_twice(values)):
            return Window(low, high, True, outliers)
        return Window(0.0, float(white), False, 0)
    unit = -_FLOAT_TOLERANCE, 1 + _FLOAT_TOLERANCE
    in_unit = values.dtype.kind == "f" and unit[0] <= low and high <= unit[1]
    if in_unit and not 0 < high - low < _FEWEST_SHARE:
        beyond = outer[0] < unit[0] or outer[1] > unit[1]
        return Window(0.0, 1.0, False, _outside(values, ignored, nodata, *unit) if beyond else 0)
    return Window(low, high, True, outliers)


def apply_window(
    values: NDArray[Any], window: Window, nodata: float | None
) -> tuple[NDArray[np.uint8], int]:
    """(H, W, C) values as uint8, black where they mean nothing, and the number of such pixels."""
    result = np.empty(values.shape, dtype=np.uint8)
    table = None
    if values.dtype == np.uint16:
        table = _scaled(np.arange(65536, dtype=np.uint16), window)
    missing = 0
    for rows in row_blocks(values):
        block = values[rows]
        known = has_value(block, nodata)
        if known is not None:
            gaps = ~known.all(axis=2) if nodata is None else ~known.any(axis=2)
            missing += int(gaps.sum())
            block = np.where(known, block, block.dtype.type(0))
        result[rows] = _scaled(block, window) if table is None else table[block]
        if known is not None:
            result[rows] *= known
    return result, missing


def _scaled(values: NDArray[Any], window: Window) -> NDArray[np.uint8]:
    if values.dtype.kind == "f" and not window.stretched:
        return np.asarray(np.rint(values.clip(0, 1) * values.dtype.type(255)), dtype=np.uint8)
    scale = 255 / ((window.high - window.low) or 1.0)
    wide = values.astype(np.float64).clip(window.low, window.high)
    return np.asarray(np.rint((wide - window.low) * scale), dtype=np.uint8)


def _bulk(
    values: NDArray[Any], ignored: NDArray[np.bool_] | None, nodata: float | None
) -> tuple[float, float]:
    """The percentiles of the values that count; low > high where there are none."""
    step = max(1, int(np.ceil(np.sqrt(values.size / _SAMPLED))))
    for stride in {step: None, 1: None}:  # all pixels where the grid met no value
        sample = values[::stride, ::stride]
        skipped = None if ignored is None else ignored[::stride, ::stride]
        found = _known(sample, skipped, nodata)
        if found.size:
            low = np.quantile(found, _SHARE, method="lower")
            return float(low), float(np.quantile(found, 1 - _SHARE, method="higher"))
    return 1.0, 0.0


def _counted(
    values: NDArray[Any], ignored: NDArray[np.bool_] | None, nodata: float | None
) -> Iterator[NDArray[Any]]:
    for rows in row_blocks(values):
        yield _known(values[rows], None if ignored is None else ignored[rows], nodata)


def _known(
    values: NDArray[Any], ignored: NDArray[np.bool_] | None, nodata: float | None
) -> NDArray[Any]:
    known = has_value(values, nodata)
    if ignored is not None:
        seen = ~ignored[..., None]
        known = np.broadcast_to(seen, values.shape) if known is None else known & seen
    return values.ravel() if known is None else values[known]


def _extremes(
    values: NDArray[Any],
    ignored: NDArray[np.bool_] | None,
    nodata: float | None,
    lowest: float,
    highest: float,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Minimum and maximum of the values in [lowest, highest], and of all."""
    inner, outer = (np.inf, -np.inf), (np.inf, -np.inf)
    for found in _counted(values, ignored, nodata):
        if not found.size:
            continue
        low, high = float(found.min()), float(found.max())
        outer = min(outer[0], low), max(outer[1], high)
        if low < lowest or high > highest:
            found = found[(found >= lowest) & (found <= highest)]
            if not found.size:
                continue
            low, high = float(found.min()), float(found.max())
        inner = min(inner[0], low), max(inner[1], high)
    return inner, outer


def _outside(
    values: NDArray[Any],
    ignored: NDArray[np.bool_] | None,
    nodata: float | None,
    low: float,
    high: float,
) -> int:
    blocks = _counted(values, ignored, nodata)
    return sum(int(((found < low) | (found > high)).sum()) for found in blocks)


def _eight_bits_twice(values: NDArray[Any]) -> bool:
    return all(not (values[rows] % 257).any() for rows in row_blocks(values))
