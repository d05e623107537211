"""Intensities of every kind (bits, 8, 16 and 32 bits, floats, transparency) to 8 bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError

_FLOAT_TOLERANCE = 1e-5  # resampling in float32 leaves [0, 1] by a few rounding errors


def as_rgb(array: Any) -> NDArray[np.uint8]:
    """Return an image array as (H, W, 3) uint8 RGB.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) RGBA; bool, uint8, uint16 (white =
            65535) or float in [0, 1]. Alpha is composited over white.

    Raises:
        InputError: another number of axes or channels, no pixels, another data type, NaN or
            infinity, floats outside [0, 1].

    Example:
        >>> as_rgb(np.zeros((4, 6))).shape
        (4, 6, 3)
    """
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
    values = _to_8_bit(array)
    if values.shape[2] == 4:
        return _over_white(values)
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    return values


def stretch_to_unit(array: NDArray[Any], *, always: bool) -> NDArray[Any]:
    """Return an array as float32, its minimum at 0 and its maximum at 1.

    Without `always`, values that are in [0, 1] already, or not finite, are left as they are.
    """
    values = array.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high) or (not always and low >= 0 and high <= 1 + _FLOAT_TOLERANCE):
        return values
    return (values - np.float32(low)) / np.float32((high - low) or 1.0)


def _to_8_bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if kind == "u" and bits == 8:
        return array.astype(np.uint8, copy=False)
    if kind == "u" and bits == 16:
        return np.asarray((array.astype(np.uint32) + 128) // 257, dtype=np.uint8)
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "f":
        return _float_to_8_bit(array)
    raise InputError(
        f"image: data type {array.dtype}, expected uint8, uint16, bool or float in [0, 1]"
    )


def _float_to_8_bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    if not np.isfinite(array).all():
        raise InputError("image: NaN or infinite values, expected floats in [0, 1]")
    low, high = float(array.min()), float(array.max())
    if low < -_FLOAT_TOLERANCE or high > 1 + _FLOAT_TOLERANCE:
        raise InputError(
            f"image: floats from {low:.4g} to {high:.4g}, expected [0, 1] (or uint8 in 0..255)"
        )
    scaled = np.rint(np.clip(array, 0, 1) * array.dtype.type(255))
    return np.asarray(scaled, dtype=np.uint8)


def _over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.uint16)
    # c a + 255 (255 - a) is at most 255**2, so 16 bits hold it with the rounding term.
    blended = rgba[..., :3] * alpha + 255 * (255 - alpha) + 127
    return np.asarray(blended // 255, dtype=np.uint8)
