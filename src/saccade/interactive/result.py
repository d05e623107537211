"""What a segmentation is, and where to draw next."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Of the shorter side: a window is a fifth of it wide, a patch has this standard deviation.
_WINDOW = 5
_PATCH = 0.015


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
        score: uncertainty summed over the region's pixels, which grows with its expected errors.
    """

    row: int
    column: int
    box: tuple[int, int, int, int]
    score: float


def suggest_regions(
    uncertainty: NDArray[np.float32], drawn: NDArray[np.bool_], count: int
) -> list[Suggestion]:
    """Regions of doubt, most first.

    Uncertainty is summed over a window a fifth of the shorter side wide; the best window is taken,
    everything in it is struck out, and so on. Windows this large pass over thin bands of doubt
    along borders, where a stroke changes little. The place in the window is where the doubt is
    highest on a patch as large as a stroke is wide. ``benchmarks/annotation.py`` compares this with
    other places to draw at.

    Args:
        uncertainty: (H, W) in [0, 1].
        drawn: (H, W), True on strokes: nobody needs to draw there again.
        count: how many to return at most; fewer where little is in doubt.
    """
    height, width = uncertainty.shape
    stride = max(1, min(height, width) // 256)
    doubt = np.where(drawn, 0.0, uncertainty)[::stride, ::stride].astype(np.float64)
    side = max(3, min(doubt.shape) // _WINDOW | 1)
    found: list[Suggestion] = []
    for _ in range(count):
        mass = ndimage.uniform_filter(doubt, side, mode="constant")
        y, x = np.unravel_index(int(mass.argmax()), mass.shape)
        score = float(mass[y, x]) * side * side * stride * stride
        if score < 1.0:
            break
        top, left = max(0, int(y) - side // 2), max(0, int(x) - side // 2)
        window = doubt[top : top + side, left : left + side]
        # Nothing beyond the window counts, so that the place is not on its rim.
        patches = ndimage.gaussian_filter(window, _PATCH * min(doubt.shape), mode="constant")
        free = ~drawn[::stride, ::stride][top : top + side, left : left + side]
        row, column = np.unravel_index(int(np.where(free, patches, -1.0).argmax()), window.shape)
        found.append(
            Suggestion(
                row=(top + int(row)) * stride,
                column=(left + int(column)) * stride,
                box=(
                    top * stride,
                    left * stride,
                    min((top + window.shape[0]) * stride, height),
                    min((left + window.shape[1]) * stride, width),
                ),
                score=score,
            )
        )
        doubt[top : top + side, left : left + side] = 0.0
    return found
