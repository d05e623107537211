"""What was fitted to one image before: the mask that new strokes correct, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from saccade.interactive.pipeline import Fitted

_MOST = 50
_MOST_BYTES = 64 * 2**20  # of results and strokes, which are as large as the image


def _bytes(fitted: Fitted) -> int:
    result = fitted.result
    arrays = result.probabilities, result.labels, result.uncertainty, fitted.strokes.stroke_index
    return sum(array.nbytes for array in arrays)


class History:
    """The fits of one session, oldest first.

    Somebody who takes a stroke back gets the mask of before; somebody who adds one corrects the
    mask that is there. A fit is forgotten once it is older than 50 others, or once it and those
    after it take 64 MiB; the latest stays.

    >>> len(History())
    0
    """

    def __init__(self) -> None:
        self._fits: list[Fitted] = []

    def __len__(self) -> int:
        return len(self._fits)

    def __iter__(self) -> Iterator[Fitted]:
        """The latest first."""
        return reversed(self._fits)

    def add(self, fitted: Fitted) -> None:
        """Remember a fit; the same one again becomes the latest."""
        kept = [one for one in self._fits if one is not fitted] + [fitted]
        sizes = np.cumsum([_bytes(one) for one in reversed(kept[-_MOST:])])
        self._fits = kept[-max(1, int((sizes <= _MOST_BYTES).sum())) :]

    def same(self, classes: tuple[int, ...], stroke_index: NDArray[np.int64]) -> Fitted | None:
        """The fit to these very strokes, (H, W) class index, K where nobody drew."""
        for one in self:
            known = one.strokes
            if known.classes == classes and np.array_equal(known.stroke_index, stroke_index):
                return one
        return None

    def corrected(self, classes: tuple[int, ...], stroke_index: NDArray[np.int64]) -> Fitted | None:
        """The latest fit to some of these strokes, whose mask the other strokes correct."""
        for one in self:
            known = one.strokes
            drawn = known.stroke_index < known.count
            if known.classes == classes and np.array_equal(
                known.stroke_index[drawn], stroke_index[drawn]
            ):
                return one
        return None
