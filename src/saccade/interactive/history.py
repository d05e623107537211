"""What was fitted to one image before: the mask that new strokes correct, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from saccade.interactive.pipeline import Fitted

_MOST = 50
_MOST_BYTES = 64 * 2**20  # a fit to an image of 451 x 300 takes 5 MB


def _buffers(fitted: Fitted) -> dict[int, int]:
    """Bytes by address of all arrays and tensors that a fit holds."""
    values = (
        fitted.half,
        *fitted.net.state_dict().values(),
        *vars(fitted.strokes).values(),
        *vars(fitted.result).values(),
    )
    found = {}
    for value in values:
        if isinstance(value, Tensor):
            storage = value.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
        elif isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            found[value.ctypes.data] = value.nbytes
    return found


class History:
    """The fits of one session, oldest first.

    Somebody who takes a stroke back gets the mask of before; somebody who adds one corrects the
    mask that is there. A fit is forgotten once it is older than 50 others, or once it and those
    after it take 64 MiB; the latest stays.

    Attributes:
        nbytes: memory that all of them take.

    >>> len(History())
    0
    """

    def __init__(self) -> None:
        self._fits: list[Fitted] = []
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._fits)

    def __iter__(self) -> Iterator[Fitted]:
        """The latest first."""
        return reversed(self._fits)

    def add(self, fitted: Fitted) -> None:
        """Remember a fit; the same one again becomes the latest."""
        kept = [one for one in self._fits if one is not fitted] + [fitted]
        held: dict[int, int] = {}
        fits: list[Fitted] = []
        for one in reversed(kept[-_MOST:]):
            together = held | _buffers(one)  # fits share what did not change between them
            if fits and sum(together.values()) > _MOST_BYTES:
                break
            fits, held = [one, *fits], together
        self._fits, self.nbytes = fits, sum(held.values())

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
