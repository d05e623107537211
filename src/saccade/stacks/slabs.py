"""A long stack as slabs that overlap, so that its length costs time and no memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

OVERLAP = 4
"""Slices on either side of a slab that are partitioned with it and belong to its neighbours."""

_MEMORY = 500_000_000  # bytes of the maps of one slab
_FEWEST = 4
_MAPS = 12  # maps of four bytes at half size for each class: of the partition, and kept


@dataclass(frozen=True)
class Slab:
    """Slices that are partitioned together.

    Attributes:
        first: the first slice that is needed.
        start: the first whose mask is taken.
        stop: after the last whose mask is taken.
        last: after the last that is needed.

    >>> Slab(0, 0, 10, 14).owned
    range(0, 10)
    """

    first: int
    start: int
    stop: int
    last: int

    @property
    def owned(self) -> range:
        """The slices whose mask is taken."""
        return range(self.start, self.stop)

    @property
    def needed(self) -> range:
        """The slices that are partitioned together."""
        return range(self.first, self.last)


def slabs(count: int, length: int, overlap: int = OVERLAP) -> Iterator[Slab]:
    """Slabs of so many slices that together own each slice once.

    >>> [(slab.first, slab.start, slab.stop, slab.last) for slab in slabs(9, 4, 1)]
    [(0, 0, 4, 5), (3, 4, 8, 9), (7, 8, 9, 9)]
    """
    for start in range(0, count, length):
        stop = min(start + length, count)
        yield Slab(max(0, start - overlap), start, stop, min(count, stop + overlap))


def slab_length(size: tuple[int, int], half_size: tuple[int, int], classes: int) -> int:
    """How many slices a slab may have.

    Args:
        size: (H, W) of a plane.
        half_size: (h / 2, w / 2) at which it is partitioned.
        classes: K.

    >>> slab_length((512, 512), (256, 256), 2) > slab_length((4096, 4096), (280, 280), 9)
    True
    """
    half = 4 * half_size[0] * half_size[1]
    each = 4 * size[0] * size[1] + half * (20 + _MAPS * classes)
    return max(_FEWEST, _MEMORY // each - 2 * OVERLAP)
