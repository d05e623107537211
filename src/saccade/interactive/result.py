"""What a segmentation is, and where to draw next."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class Segmentation:
    """A mask and how sure it is.

    Attributes:
        labels: (H, W) int32, the stroke values.
        probabilities: (K, H, W) float32, sum to 1 over the first axis, which is in the order of
            ``classes``.
        uncertainty: (H, W) float32 in [0, 1], 0 where all draws of the network agree firmly on
            one class, 1 where all classes are equally likely on average over the draws.
        classes: the K stroke values, ascending.
        timings: seconds spent in each stage, and ``"total"``.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    classes: tuple[int, ...]
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Suggestion:
    """A region where a stroke would help most.

    Attributes:
        row: y of the place to draw at, in pixels.
        column: x of it.
        box: (top, left, bottom, right) of the region, bottom and right exclusive.
        score: expected number of wrong pixels in the region.
    """

    row: int
    column: int
    box: tuple[int, int, int, int]
    score: float


def suggest_regions(
    uncertainty: NDArray[np.float32], drawn: NDArray[np.bool_], count: int
) -> list[Suggestion]:
    """Regions of doubt, most first.

    Uncertainty is summed over a window a tenth of the shorter side wide; the best window is
    taken, everything in it is struck out, and so on.

    Args:
        uncertainty: (H, W) in [0, 1].
        drawn: (H, W), True on strokes: nobody needs to draw there again.
        count: how many to return at most; fewer where little is in doubt.
    """
    height, width = uncertainty.shape
    stride = max(1, min(height, width) // 256)
    doubt = np.where(drawn, 0.0, uncertainty)[::stride, ::stride].astype(np.float64)
    side = max(3, min(doubt.shape) // 10 | 1)
    found: list[Suggestion] = []
    for _ in range(count):
        mass = ndimage.uniform_filter(doubt, side, mode="constant")
        y, x = np.unravel_index(int(mass.argmax()), mass.shape)
        score = float(mass[y, x]) * side * side * stride * stride
        if score < 1.0:
            break
        top, left = max(0, y - side // 2), max(0, x - side // 2)
        window = doubt[top : top + side, left : left + side]
        # The place itself: deep inside the doubtful part, not on its rim.
        depth = ndimage.distance_transform_edt(np.pad(window >= 0.5 * window.max(), 1))
        inner = np.unravel_index(int(depth.argmax()), depth.shape)
        row, column = top + int(inner[0]) - 1, left + int(inner[1]) - 1
        box = (top, left, top + window.shape[0], left + window.shape[1])
        found.append(
            Suggestion(
                row=row * stride,
                column=column * stride,
                box=(
                    box[0] * stride,
                    box[1] * stride,
                    min(box[2] * stride, height),
                    min(box[3] * stride, width),
                ),
                score=score,
            )
        )
        doubt[top : top + side, left : left + side] = 0.0
    return found
