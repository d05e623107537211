"""Where a stroke would help most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.interactive.result import Suggestion

# Of the shorter side: a window is a fifth of it wide, a patch has this standard deviation.
_WINDOW = 5
_PATCH = 0.015


def suggest_regions(
    uncertainty: NDArray[np.float32], drawn: NDArray[np.bool_], count: int
) -> list[Suggestion]:
    """Regions where the mask is unsure, the largest uncertainty first.

    Uncertainty is summed over a window a fifth of the shorter side wide; the best window is taken,
    everything in it is struck out, and so on. Windows this large pass over thin unsure bands
    along borders, where a stroke changes little. The place in the window is where uncertainty is
    highest on a patch as large as a stroke is wide. ``benchmarks.annotation`` compares this with
    other places to draw at.

    Args:
        uncertainty: (H, W) in [0, 1].
        drawn: (H, W), True on strokes: nobody needs to draw there again.
        count: how many to return at most; fewer where little is unsure.
    """
    height, width = uncertainty.shape
    stride = max(1, min(height, width) // 256)
    unsure = np.where(drawn, 0.0, uncertainty)[::stride, ::stride].astype(np.float64)
    side = max(3, min(unsure.shape) // _WINDOW | 1)
    found: list[Suggestion] = []
    for _ in range(count):
        mass = ndimage.uniform_filter(unsure, side, mode="constant")
        y, x = np.unravel_index(int(mass.argmax()), mass.shape)
        score = float(mass[y, x]) * side * side * stride * stride
        if score < 1.0:
            break
        top, left = max(0, int(y) - side // 2), max(0, int(x) - side // 2)
        window = unsure[top : top + side, left : left + side]
        # Nothing beyond the window counts, so that the place is not on its rim.
        patches = ndimage.gaussian_filter(window, _PATCH * min(unsure.shape), mode="constant")
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
        unsure[top : top + side, left : left + side] = 0.0
    return found
