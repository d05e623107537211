"""The PASCAL VOC color map: the colors by which a label image opens as colors, not as black."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def voc_palette(count: int = 256) -> NDArray[np.uint8]:
    """Return the first `count` colors of the PASCAL VOC color map, (count, 3) uint8 RGB.

    Color i takes its bits 3j, 3j + 1, 3j + 2 as bit 7 - j of red, green, blue, so that the
    colors differ for every i below 2**24. Color 0 is black, 255 the pale grey of "void".

    Raises:
        ValueError: `count` is negative or above 2**24.
    """
    if not 0 <= count <= 1 << 24:
        raise ValueError(f"count must be in 0..2**24, got {count}")
    index = np.arange(count, dtype=np.uint32)[:, None]
    channel = np.arange(3, dtype=np.uint32)[None, :]
    colors = np.zeros((count, 3), dtype=np.uint8)
    for j in range(8):
        bit = (index >> (3 * j + channel) & 1).astype(np.uint8)
        colors |= bit << np.uint8(7 - j)
    return colors


def pack_rgb(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return (..., 3) uint8 RGB as (...) integers 0xRRGGBB."""
    wide = colors.astype(np.uint32)
    return np.asarray(wide @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32), dtype=np.uint32)


@lru_cache(maxsize=1)
def voc_index() -> dict[int, int]:
    """Return 0xRRGGBB -> class index for the 256 VOC colors."""
    return {int(color): i for i, color in enumerate(pack_rgb(voc_palette(256)))}
