"""Maps of windows that overlap, joined so that no seam shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Blend:
    """The mean of windows of maps (C, H, W), each fading out towards its border.

    >>> blend = Blend(1, (4, 8))
    >>> blend.add(np.zeros((1, 4, 5)), (slice(0, 4), slice(0, 5)), (slice(0, 4), slice(0, 4)))
    >>> blend.add(np.ones((1, 4, 5)), (slice(0, 4), slice(3, 8)), (slice(0, 4), slice(4, 8)))
    >>> blend.mean()[0, 0].tolist()
    [0.0, 0.0, 0.0, 0.25, 0.75, 1.0, 1.0, 1.0]
    """

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        self._sum = np.zeros((channels, *size), np.float32)
        self._weight = np.zeros(size, np.float32)

    def add(
        self, maps: NDArray[np.floating], box: tuple[slice, slice], core: tuple[slice, slice]
    ) -> None:
        """Add a window.

        Args:
            maps: (C, h, w) of the box.
            box: rows and columns.
            core: those of the box that no other window has at its core.
        """
        rows, columns = (ramp(*spans) for spans in zip(box, core, self._weight.shape, strict=True))
        weight = rows[:, None] * columns
        for total, one in zip(self._sum, maps, strict=True):
            total[box] += weight * one
        self._weight[box] += weight

    def mean(self) -> NDArray[np.float32]:
        """(C, H, W); windows have to cover everything, and none can be added after it."""
        self._sum /= self._weight
        return self._sum


def ramp(box: slice, core: slice, full: int) -> NDArray[np.float32]:
    """1 in the core, to nearly 0 at the box's ends, but where these are the image's.

    Args:
        box: pixels of a side that a window has.
        core: those that no other window has at its core.
        full: the image's side.

    >>> ramp(slice(0, 5), slice(0, 4), 8).tolist()
    [1.0, 1.0, 1.0, 0.75, 0.25]
    """
    at = np.arange(box.start, box.stop) + 0.5
    weight = np.ones(len(at))
    if box.start > 0:
        weight = np.minimum(weight, (at - box.start) / max(1, 2 * (core.start - box.start)))
    if box.stop < full:
        weight = np.minimum(weight, (box.stop - at) / max(1, 2 * (box.stop - core.stop)))
    return weight.clip(1e-3, 1).astype(np.float32)
