"""What a segmentation and a suggestion are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from saccade.objects import Objects


@dataclass(frozen=True)
class Segmentation:
    """A mask and how sure it is.

    Attributes:
        labels: (H, W) int32, the stroke values.
        probabilities: (K, H, W) float32, sum to 1 over the first axis, which is in the order of
            ``classes``.
        uncertainty: (H, W) float32 in [0, 1], 0 where one class is certain and on strokes, 1
            where all classes are equally likely, before regions were formed.
        classes: the K stroke values, ascending.
        timings: seconds spent in each stage, and ``"total"``.
        remarks: what was assumed of the image and the strokes, one line each.
        provisional: classes that nobody drew and that were assumed to be everything else, as one
            class alone was drawn; empty once there are strokes of two.
        unlike: whether the image has no strokes and looks like none of those that a model was
            fitted to.

    >>> mask = np.array([[0, 1]], np.int32)
    >>> p = np.array([[[0.9, 0.2]], [[0.1, 0.8]]], np.float32)
    >>> found = Segmentation(mask, p, np.zeros((1, 2), np.float32), classes=(0, 1))
    >>> found.classes[found.probabilities[:, 0, 1].argmax()], int(found.labels[0, 1])
    (1, 1)
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    classes: tuple[int, ...]
    timings: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    provisional: tuple[int, ...] = ()
    unlike: bool = False

    def objects(
        self, *, separate: bool = True, min_area: int = 1, background: Collection[int] = (0,)
    ) -> Objects:
        """Find the objects of the mask, see `saccade.objects.find_objects`.

        Args:
            separate: part objects that touch; False: an object is a connected part.
            min_area: objects of fewer pixels are left out.
            background: class values that are no objects; nor are those of `provisional`.

        Raises:
            InputError: an area below 1.

        >>> mask = np.array([[1, 0, 1]], np.int32)
        >>> p = np.array([1 - mask, mask], np.float32)
        >>> Segmentation(mask, p, np.zeros((1, 3), np.float32), classes=(0, 1)).objects().count
        2
        """
        from saccade.objects import find_objects  # scikit-image takes a while

        return find_objects(
            self.labels,
            self.probabilities,
            self.classes,
            separate=separate,
            min_area=min_area,
            background={*background, *self.provisional},
        )


@dataclass(frozen=True)
class Suggestion:
    """A region where a stroke would help most.

    Attributes:
        row: y of the place to draw at, in pixels.
        column: x of it.
        box: (top, left, bottom, right) of the region, bottom and right exclusive.
        score: uncertainty summed over the region's pixels, which grows with its expected errors.

    >>> Suggestion(row=12, column=30, box=(4, 20, 24, 44), score=81.0).box
    (4, 20, 24, 44)
    """

    row: int
    column: int
    box: tuple[int, int, int, int]
    score: float
