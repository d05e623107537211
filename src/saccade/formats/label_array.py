"""An image of class values that is painted row by row or column by column.

Run lengths of COCO go down the columns. Painting them into rows touches a new line of memory at
every pixel; painting them into columns, and turning the whole image once, is ten times as fast.
"""

import numpy as np
from numpy.typing import NDArray

from saccade.data.shapes import WorkBudget

_TURNING = 10  # what it costs to turn an image, for each of its pixels


class LabelArray:
    """Class values (H, W), all `uncovered` at first; memory is taken when they are painted.

    Args:
        size: (H, W).
        uncovered: value of pixels that are not painted.
        budget: of the work of the file.
    """

    def __init__(self, size: tuple[int, int], uncovered: int, budget: WorkBudget) -> None:
        self._size = size
        self._uncovered = uncovered
        self._budget = budget
        self._rows: NDArray[np.int32] | None = None
        self._columns: NDArray[np.int32] | None = None

    def by_rows(self) -> NDArray[np.int32]:
        """The image as (H, W), contiguous."""
        if self._rows is None:
            self._rows = self._new(self._columns, self._size)
            self._columns = None
        return self._rows

    def by_columns(self) -> NDArray[np.int32]:
        """The image as (W, H), contiguous: one column after another."""
        if self._columns is None:
            self._columns = self._new(self._rows, self._size[::-1])
            self._rows = None
        return self._columns

    def as_it_lies(self) -> NDArray[np.int32]:
        """The image as (H, W), not always contiguous."""
        return self.by_rows() if self._columns is None else self._columns.T

    def _new(self, other: NDArray[np.int32] | None, size: tuple[int, ...]) -> NDArray[np.int32]:
        if other is not None:
            self._budget.spend(_TURNING * other.size)
            return np.ascontiguousarray(other.T)
        if self._uncovered == 0:  # what is not touched of zeros takes no memory
            return np.zeros(size, dtype=np.int32)
        return np.full(size, self._uncovered, dtype=np.int32)
