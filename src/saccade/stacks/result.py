"""What the segmentation of a stack is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.objects import Objects

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
        confidence: float16, along `axes`, the probability of each label; NaN where it is not
            known. None: nowhere.

    >>> done = np.array([[True, False]])
    >>> half = np.zeros((2, 4, 6), np.float16)
    >>> found = StackSegmentation(half.astype(np.int32), half, "ZYX", (0, 1), done)
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
    confidence: NDArray[np.float16] | None = None

    @property
    def finished(self) -> bool:
        """Whether every plane has its mask."""
        return bool(self.done.all())

    def objects(
        self,
        t: int = 0,
        *,
        separate: bool = True,
        min_area: int = 1,
        background: Collection[int] = (0,),
        pixel_size: Mapping[str, float] | None = None,
    ) -> Objects:
        """Find the objects of one time, through all its slices; see `saccade.objects`.

        Args:
            t: index of the time.
            separate: part objects that touch; False: an object is a connected part.
            min_area: objects of fewer pixels are left out.
            background: class values that are no objects.
            pixel_size: along "Z", "Y" and "X", which decides on the shape of what touches;
                `Image.pixel_size` of the stack.

        Raises:
            InputError: there is no such time, or an area below 1.

        >>> labels = np.zeros((3, 8, 8), np.int32)
        >>> labels[:2, 1:4, 1:4] = labels[1:, 5:, 5:] = 1
        >>> unsure, done = np.zeros(labels.shape, np.float16), np.ones((1, 3), bool)
        >>> found = StackSegmentation(labels, unsure, "ZYX", (0, 1), done)
        >>> found.objects().count
        2
        """
        from saccade.objects import find_objects  # scikit-image takes a while

        times = self.labels.shape[self.axes.index("T")] if "T" in self.axes else 1
        if not 0 <= t < times:
            raise InputError(f"time {t}, expected 0 to {times - 1}")
        labels = self._at(self.labels, t)
        sure = None if self.confidence is None else self._at(self.confidence, t)
        known = sure is not None and bool(np.isfinite(sure).all())
        axes = "ZYX"[-labels.ndim :]
        size = dict(pixel_size or {})
        return find_objects(
            np.where(labels == UNFINISHED, 0, labels) if not self.finished else labels,
            separate=separate,
            min_area=min_area,
            background=background,
            confidence=sure.astype(np.float32) if known and sure is not None else None,
            spacing=[size[axis] for axis in axes] if set(axes) <= size.keys() else None,
        )

    def _at(self, values: NDArray[Any], t: int) -> NDArray[Any]:
        """(Z, H, W) or, without slices, (H, W)."""
        if "T" in self.axes:
            values = values.take(t, self.axes.index("T"))
        left = self.axes.replace("T", "")
        return values.transpose([left.index(axis) for axis in "ZYX" if axis in left])
