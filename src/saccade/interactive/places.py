"""Strokes of an image of any size: as an array of its size, or as the few places that have some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from saccade.interactive.objects import Box
from saccade.scribbles.shrink import shrink_places


class StrokeIndex(Protocol):
    """Class index of the strokes of an image, K where nobody drew."""

    def __getitem__(self, box: tuple[slice, slice], /) -> NDArray[np.int64]:
        """A part, at the size of the image."""

    def within(self, box: Box, size: tuple[int, int]) -> NDArray[np.int64]:
        """A part that is worked on at a size (h, w); no stroke is lost at a smaller one."""

    def drawn(self) -> Places:
        """Where there are strokes."""


@dataclass(frozen=True)
class Places:
    """Where strokes are, row by row.

    Attributes:
        rows: (n,).
        columns: (n,).
        values: (n,) class index.
        size: (H, W) of the image.
        count: K.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.int64]
    size: tuple[int, int]
    count: int

    def __getitem__(self, box: tuple[slice, slice]) -> NDArray[np.int64]:
        """A part, at the size of the image."""
        top, bottom, _ = box[0].indices(self.size[0])
        left, right, _ = box[1].indices(self.size[1])
        found = self._inside(Box(top, left, bottom, right))
        index = np.full((bottom - top, right - left), self.count, np.int64)
        index[found.rows, found.columns] = found.values
        return index

    def within(self, box: Box, size: tuple[int, int]) -> NDArray[np.int64]:
        """A part at the size that it is worked on at; no stroke is lost."""
        found = self._inside(box)
        if size[0] >= found.size[0]:
            return self[box.slices]
        return shrink_places(found.rows, found.columns, found.values, self.count, found.size, size)

    def drawn(self) -> Places:
        """These places."""
        return self

    def classes_in(self, box: Box) -> set[int]:
        """The classes that have strokes in a box."""
        return set(np.unique(self._inside(box).values).tolist())

    def occupied(self, grid: int) -> tuple[int, int]:
        """How many of ``grid`` x ``grid`` windows have strokes, and how many of two classes.

        >>> one = Places(np.array([0, 1, 9]), np.array([0, 1, 9]), np.array([0, 1, 1]), (10, 10), 2)
        >>> one.occupied(2)
        (2, 1)
        """
        cells = self.rows * grid // self.size[0] * grid + self.columns * grid // self.size[1]
        pairs = np.unique(cells * self.count + self.values)
        found = np.bincount(pairs // self.count, minlength=1)
        return int((found > 0).sum()), int((found > 1).sum())

    def _inside(self, box: Box) -> Places:
        first, last = np.searchsorted(self.rows, (box.top, box.bottom))
        columns = self.columns[first:last]
        inside = (columns >= box.left) & (columns < box.right)
        return Places(
            self.rows[first:last][inside] - box.top,
            columns[inside] - box.left,
            self.values[first:last][inside],
            (box.bottom - box.top, box.right - box.left),
            self.count,
        )


@dataclass(frozen=True)
class InMemory:
    """Strokes as (H, W) class index, K where nobody drew.

    Attributes:
        index: the array.
        count: K.
    """

    index: NDArray[np.int64]
    count: int

    def __getitem__(self, box: tuple[slice, slice]) -> NDArray[np.int64]:
        """A part, at the size of the image."""
        return self.index[box]

    def within(self, box: Box, size: tuple[int, int]) -> NDArray[np.int64]:
        """A part, at the size of the image."""
        return np.ascontiguousarray(self.index[box.slices])

    def drawn(self) -> Places:
        """Where there are strokes."""
        return places_of(self.index, self.count, self.count)


def places_of(
    labels: NDArray[np.integer],
    count: int,
    unlabeled: int,
    values: NDArray[np.integer] | None = None,
) -> Places:
    """The places of an array that have strokes, as few pixels have.

    Args:
        labels: (H, W) class index, or class values where ``values`` are given.
        count: K.
        unlabeled: what it has where nobody drew.
        values: the K class values, ascending.
    """
    rows, columns = (labels != unlabeled).nonzero()
    found = labels[rows, columns].astype(np.int64)
    if values is not None:
        found = np.searchsorted(values, found)
    return Places(rows, columns, found, (labels.shape[0], labels.shape[1]), count)
