"""What the segmentation of a stack is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

UNFINISHED = -1
"""The label of planes that a cancelled run did not reach."""


@dataclass(frozen=True)
class StackSegmentation:
    """Masks of all planes of a stack.

    Attributes:
        labels: int32 stroke values, along `axes`; `UNFINISHED` where a run was cancelled before.
        uncertainty: float16 in [0, 1], along `axes`, see `saccade.Segmentation`.
        axes: those of the stack without C.
        classes: the K stroke values, ascending.
        done: (T, Z) bool, which planes are finished.
        remarks: what was assumed of the stack and the strokes, one line each.
        timings: seconds of the fit, and ``"total"``.

    >>> done = np.array([[True, False]])
    >>> found = StackSegmentation(np.zeros((2, 4, 6), np.int32), np.zeros((2, 4, 6), np.float16),
    ...                           "ZYX", (0, 1), done)
    >>> found.finished
    False
    """

    labels: NDArray[np.int32]
    uncertainty: NDArray[np.float16]
    axes: str
    classes: tuple[int, ...]
    done: NDArray[np.bool_]
    remarks: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether every plane has its mask."""
        return bool(self.done.all())
