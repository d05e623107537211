"""The mask of a large image, in files until it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from saccade.slides.journal import Arrays, Journal
from saccade.slides.strips import ROWS

_KEPT = 3
"""Strips in memory: what lies across a border is read from both, again and again."""


class Strips(Protocol):
    """What has the strips of `ROWS` rows of a mask."""

    def recall(self, number: int) -> Arrays:
        """``labels``, ``uncertainty`` and ``confidence`` (n, W) of a strip, counted from 0."""


class StripArray:
    """An array (H, W) of which strips are read from a journal as it is indexed.

    Args:
        strips: all of them, computed.
        name: of the array in a strip.
        size: (H, W).
        dtype: of its numbers.
    """

    def __init__(
        self, strips: Strips, name: str, size: tuple[int, int], dtype: np.dtype[Any]
    ) -> None:
        self._strips, self._name, self.shape, self.dtype = strips, name, size, dtype
        self._kept: dict[int, NDArray[Any]] = {}

    @property
    def ndim(self) -> int:
        """Two."""
        return 2

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[Any]:
        """Rows and columns, in steps of one or more."""
        rows = range(*key[0].indices(self.shape[0]))
        parts = []
        for number in sorted({row // ROWS for row in rows}):
            here = [row - number * ROWS for row in rows if row // ROWS == number]
            parts.append(self._strip(number)[here[0] : here[-1] + 1 : rows.step, key[1]])
        return np.concatenate(parts)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it."""
        whole = np.empty(self.shape, self.dtype)
        for top in range(0, self.shape[0], ROWS):
            whole[top : top + ROWS] = self[top : top + ROWS, :]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def _strip(self, number: int) -> NDArray[Any]:
        if number not in self._kept:
            for old in list(self._kept)[: 1 - _KEPT]:
                del self._kept[old]
            self._kept[number] = self._strips.recall(number)[self._name]
        return self._kept[number]


@dataclass(frozen=True)
class SlideSegmentation:
    """A mask that is never in memory as a whole.

    Attributes:
        labels: (H, W) class values; `StripArray`, or ``numpy.asarray`` of it.
        uncertainty: (H, W) uint8, 255 where nothing is sure.
        confidence: (H, W) uint8, the probability of the class of a pixel, 255 where it is certain.
        classes: the K class values.
        overview: (h, w, 3) uint8, the image at the size that all of it was seen at.
        remarks: what was assumed, one line each.
        provisional: class values that nobody drew and that were assumed.
        journal: the files; the arrays are gone once they are forgotten.
    """

    labels: StripArray
    uncertainty: StripArray
    confidence: StripArray
    classes: tuple[int, ...]
    overview: NDArray[np.uint8]
    remarks: tuple[str, ...]
    provisional: tuple[int, ...]
    journal: Journal

    def small(self, array: StripArray) -> NDArray[Any]:
        """An array at the size of the overview, by the nearest pixels."""
        rows, columns = (
            ((np.arange(n) + 0.5) * full / n).astype(int)
            for n, full in zip(self.overview.shape[:2], array.shape, strict=True)
        )
        return np.stack([array[slice(row, row + 1), :][0, columns] for row in rows.tolist()])
