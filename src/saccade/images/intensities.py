"""Intensities of every kind (bits, 8 to 64 bits, floats, transparency) to 8 bits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images.window import Window, apply_window, row_blocks, window_of

CALLER = "you"


@dataclass(frozen=True)
class ReadImage:
    """An image as it was read, from a file or an array.

    Attributes:
        pixels: (H, W, 3) uint8 RGB; of other channels the colors that stand for them.
        remarks: what was assumed, converted or left out, one line each, without the file's name.
        components: (H, W, D) intensities of other channels than colors, see
            `saccade.images.components`; None for pictures.

    >>> ReadImage(np.zeros((2, 3, 3), np.uint8), ("the first of 5 pages",)).remarks
    ('the first of 5 pages',)
    """

    pixels: NDArray[np.uint8]
    remarks: tuple[str, ...] = ()
    components: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Meaning:
    """What the numbers of an image mean, as far as its file says.

    Attributes:
        alpha: (H, W) transparency, of the values' type; None: opaque.
        premultiplied: the colours are multiplied by alpha already.
        white: the value of white in unsigned integers; None: the largest of 8 and 16 bits.
        inverted: small values are bright.
        nodata: a value that means "nothing here".
        window: black and white of all channels, or one pair for each; None: what the values say.
        said_by: who says so, for the remark.

    >>> Meaning(nodata=-9999.0).white is None
    True
    """

    alpha: NDArray[Any] | None = None
    premultiplied: bool = False
    white: int | None = None
    inverted: bool = False
    nodata: float | None = None
    window: Sequence[tuple[float, float]] | None = None
    said_by: str = "the file"


def as_rgb(array: Any) -> NDArray[np.uint8]:
    """Return an image array as (H, W, 3) uint8 RGB; `read_array` without its remarks.

    Raises:
        InputError: as `read_array`.

    Example:
        >>> as_rgb(np.zeros((4, 6))).shape
        (4, 6, 3)
    """
    return read_array(array).pixels


def read_array(array: Any, *, window: tuple[float, float] | None = None) -> ReadImage:
    """Return an image array as (H, W, 3) uint8 RGB and say what was done to it.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) RGBA; uint8, bool, uint16 (white =
            65535), float in [0, 1], or any other integers and floats, which are stretched by the
            rule of `saccade.images.window`, as are 16 bits that leave most of their range unused.
            Pixels that are NaN, infinite or masked become black. Alpha is composited over white.
        window: the values that become black and white; None: what the rule says.

    Raises:
        InputError: another number of axes or channels, no pixels, no numbers, no finite ones, or
            a window whose black is not below its white.

    Example:
        >>> read_array(np.array([[100, 250, 400]], np.uint16)).remarks
        ('16-bit values 100 to 400 were stretched to 0..255',)
    """
    masked = isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array)
    if masked:
        array = array.astype(np.float64).filled(np.nan)
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        hint = " (channels come last)" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise InputError(
            f"image: shape {array.shape}, expected (H, W), (H, W, 3) or (H, W, 4){hint}"
        )
    if array.size == 0:
        raise InputError(f"image: shape {array.shape} has no pixels")
    told = None if window is None else [checked_window(window)]
    meaning = Meaning(window=told, said_by=CALLER)
    if array.shape[2] == 4:
        return rgb_of_values(array[..., :3], replace(meaning, alpha=array[..., 3]))
    return rgb_of_values(array, meaning)


def checked_window(window: Sequence[float]) -> tuple[float, float]:
    """A window of two finite numbers, the first smaller.

    Raises:
        InputError: it is none.

    Example:
        >>> checked_window([0, 4095])
        (0.0, 4095.0)
    """
    try:
        low, high = (float(value) for value in window)
    except (TypeError, ValueError) as error:
        raise InputError(f"window {window!r}, expected two numbers, black and white") from error
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(f"window {low:g},{high:g}: expected finite numbers, black below white")
    return low, high


def rgb_of_values(values: NDArray[Any], meaning: Meaning | None = None) -> ReadImage:
    """(H, W, 1 or 3) numbers of any kind as 8-bit RGB, with remarks on what was done.

    Raises:
        InputError: no real numbers, or no finite ones.

    Example:
        >>> rgb_of_values(np.array([[[0], [9]]], np.uint8), Meaning(inverted=True)).pixels[0, :, 0]
        array([255, 246], dtype=uint8)
    """
    meaning = meaning or Meaning()
    if values.dtype.kind not in "buif":
        raise InputError(f"image: data type {values.dtype}, expected integers, floats or bool")
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if meaning.alpha is not None and meaning.premultiplied and values.dtype != np.uint8:
        values = _unmultiplied(values, meaning.alpha)
    eight, remarks = eight_bits(values, meaning)
    if meaning.inverted:
        eight = 255 - eight
    if meaning.alpha is not None:
        alpha = meaning.alpha
        if alpha.dtype != np.uint8:
            alpha = np.rint(_opacity(alpha) * 255).astype(np.uint8)
        eight = _over_white(eight, alpha, meaning.premultiplied and values.dtype == np.uint8)
    rgb = np.repeat(eight, 3, axis=2) if eight.shape[2] == 1 else eight
    return ReadImage(rgb, remarks)


def eight_bits(values: NDArray[Any], meaning: Meaning) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """(H, W, C) numbers as 8 bits, by one window for all channels where none is told.

    Raises:
        InputError: no finite numbers.
    """
    kind, bits = values.dtype.kind, values.dtype.itemsize * 8
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255), ()
    if meaning.window:
        return _in_told_window(values, meaning)
    white = meaning.white or (2**bits - 1 if kind == "u" and bits <= 16 else None)
    if bits == 8 and kind == "u":
        if white is None or white == 255:
            return values.astype(np.uint8, copy=False), ()
        return (values.astype(np.uint16) * 255 // white).astype(np.uint8), ()
    hidden = None if meaning.alpha is None else meaning.alpha == 0
    window = window_of(values, hidden, meaning.nodata, white)
    if window is None and hidden is not None:  # nothing of it is seen
        window = window_of(values, None, meaning.nodata, white)
    if window is None:
        raise InputError("image: NaN, infinite or no-data values only, expected some numbers")
    eight, missing = apply_window(values, window, meaning.nodata)
    what = "float" if kind == "f" else f"{bits}-bit"
    return eight, _remarks(window, missing, what)


def _in_told_window(
    values: NDArray[Any], meaning: Meaning
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Values as 8 bits by the windows that somebody says, one for all channels or one for each."""
    assert meaning.window is not None
    pairs = list(dict.fromkeys(meaning.window))
    if len(pairs) == 1:
        eight, missing = apply_window(values, Window(*pairs[0], True, 0), meaning.nodata)
    else:
        parts = [
            apply_window(values[..., [i]], Window(*pair, True, 0), meaning.nodata)
            for i, pair in enumerate(meaning.window)
        ]
        eight = np.concatenate([part for part, _ in parts], axis=2)
        missing = max(count for _, count in parts)
    spans = " and ".join(f"{low:.6g} to {high:.6g}" for low, high in pairs)
    full = values.dtype == np.uint8 and pairs == [(0.0, 255.0)]
    said = () if full else (f"values {spans} were stretched to 0..255, as {meaning.said_by} said",)
    return eight, (*said, *_remarks(Window(0, 1, False, 0), missing, ""))


def _remarks(window: Window, missing: int, what: str) -> tuple[str, ...]:
    lines = []
    if window.stretched:
        span = f"{window.low:.6g} to {window.high:.6g}"
        lines.append(f"{what} values {span} were stretched to 0..255")
    if window.outliers:
        values = "1 value" if window.outliers == 1 else f"{window.outliers} values"
        lines.append(f"{values} far outside of {window.low:.6g} to {window.high:.6g} cut off")
    if missing:
        pixels = "1 pixel" if missing == 1 else f"{missing} pixels"
        lines.append(f"{pixels} without a value (NaN, infinite or no data) filled with black")
    return tuple(lines)


def _opacity(alpha: NDArray[Any]) -> NDArray[Any]:
    """Transparency in [0, 1]; where the type is not used up, opaque is the largest number."""
    if alpha.dtype.kind == "b":
        return alpha.astype(np.float64)
    known = np.where(np.isfinite(alpha), alpha, 0).clip(0)
    highest = float(known.max())
    if alpha.dtype.kind == "f":
        top = max(highest, 1.0)
    else:
        top = float(np.iinfo(alpha.dtype).max)
        top = highest if alpha.dtype != np.uint8 and 0 < highest * 2 <= top else top
    return np.asarray(known / top)


def _unmultiplied(values: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    share = _opacity(alpha)[..., None]
    straight = np.divide(values, share, out=np.zeros(values.shape), where=share > 0)
    if values.dtype.kind == "f":
        return np.asarray(straight, dtype=values.dtype)
    limits = np.iinfo(values.dtype)
    return np.asarray(np.rint(straight.clip(limits.min, limits.max)), dtype=values.dtype)


def _over_white(
    colors: NDArray[np.uint8], alpha: NDArray[np.uint8], premultiplied: bool
) -> NDArray[np.uint8]:
    result = np.empty(colors.shape, dtype=np.uint8)
    for rows in row_blocks(colors):
        opacity = alpha[rows, :, None].astype(np.uint16)
        if premultiplied:
            result[rows] = np.minimum(colors[rows].astype(np.uint16) + (255 - opacity), 255)
            continue
        # c a + 255 (255 - a) is at most 255**2, so 16 bits hold it with the rounding term.
        blended = colors[rows] * opacity + 255 * (255 - opacity) + 127
        result[rows] = blended // 255
    return result
