"""Strokes that correct a mask which somebody else made, such as a trained network.

A mask is right in most places, so a stroke must not change what it does not reach. One image's
network is fitted to the strokes and to places where the mask is sure; where its mask and the given
one differ, connected parts that have a stroke of their class are taken, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.interactive.native import segment_at_scale
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import Preset
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run, one_thread

_SURE = 0.7
"""Least probability of a place that the fit is told of; where half of a class has less, that."""
_STEP = 12
"""Pixels between such places, of which each is three pixels wide."""
_INSIDE = 4
"""Pixels that they are away from other classes."""
_NEAR = 0.1, 0.3
"""Share of the diagonal around a contradicting stroke where the mask is not trusted: least, most.

Between them it is half the side of a square as large as the part of the mask that it contradicts.
"""


def corrected(
    given: Segmentation,
    image: PreparedImage,
    index: NDArray[np.int64],
    preset: Preset,
    *,
    seed: int = 0,
    run: Run | None = None,
) -> Segmentation:
    """A mask with strokes that say where it is wrong.

    Args:
        given: the mask, of K classes.
        image: prepared with the settings of the preset.
        index: (H, W) class index of the strokes, K where nobody drew.
        preset: of the fit to the image.
        seed: of everything drawn at random.
        run: progress; once it is cancelled the mask is of no use.

    Returns:
        The mask with pixels of strokes as drawn, whose parts without strokes are as given.
    """
    drawn = index < len(given.classes)
    if not drawn.any():
        return given
    before = np.searchsorted(given.classes, given.labels)
    wrong = drawn & (index != before)
    if not wrong.any():
        return _with_strokes(given, before, index, drawn)
    disputed = _disputed(before, wrong)
    told = _told(given, before, index, disputed)
    with one_thread(image.device):
        fitted = segment_at_scale(
            image, told, given.classes, preset, seed=seed, run=run or Run(None)
        )
    assert fitted is not None  # it is none only where a cancelled fit is to be discarded
    found = fitted.result
    after = np.searchsorted(given.classes, found.labels)
    taken = _taken(np.where(disputed, after, before), before, index, wrong)
    mixed = replace(
        given,
        labels=np.where(taken, found.labels, given.labels),
        probabilities=np.where(taken, found.probabilities, given.probabilities),
        uncertainty=np.where(taken, found.uncertainty, given.uncertainty),
        timings=found.timings,
    )
    return _with_strokes(mixed, np.where(taken, after, before), index, drawn)


def _told(
    given: Segmentation,
    before: NDArray[np.int64],
    index: NDArray[np.int64],
    disputed: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """(H, W) class index of what the fit is told: strokes, and where the mask is sure; else K."""
    count = len(given.classes)
    best = given.probabilities.max(0)
    sure = np.zeros(before.shape, bool)
    for k in np.unique(before):
        of_class = before == k
        sure |= of_class & (best >= min(_SURE, float(np.median(best[of_class]))))
    sure &= ndimage.maximum_filter(before, 2 * _INSIDE + 1) == before
    sure &= ndimage.minimum_filter(before, 2 * _INSIDE + 1) == before
    sure &= ~disputed
    grid = np.zeros_like(sure)
    for row in range(3):
        for column in range(3):
            grid[row::_STEP, column::_STEP] = True
    told = np.where(sure & grid, before, count)
    return np.where(index < count, index, told)


def _disputed(before: NDArray[np.int64], wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a contradicted class is not trusted: around the strokes that contradict it."""
    least, most = (share * float(np.hypot(*before.shape)) for share in _NEAR)
    found = np.zeros(before.shape, bool)
    for k in np.unique(before[wrong]):
        of_class = before == k
        parts, _ = ndimage.label(of_class, np.ones((3, 3)))
        for part in np.unique(parts[wrong & of_class]):
            inside = parts == part
            radius = float(np.clip(np.sqrt(inside.sum()) / 2, least, most))
            far = ndimage.distance_transform_edt(~(wrong & inside))
            found |= of_class & (far <= radius)
    return found


def _taken(
    after: NDArray[np.int64],
    before: NDArray[np.int64],
    index: NDArray[np.int64],
    wrong: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Pixels that change: connected parts of one new class that have a stroke of that class."""
    taken = np.zeros(before.shape, bool)
    for k in np.unique(index[wrong]):
        parts, count = ndimage.label((after == k) & (before != k), np.ones((3, 3)))
        touched = np.zeros(count + 1, bool)
        touched[parts[wrong & (index == k)]] = True
        touched[0] = False
        taken |= touched[parts]
    return taken


def _with_strokes(
    found: Segmentation,
    labels: NDArray[np.int64],
    index: NDArray[np.int64],
    drawn: NDArray[np.bool_],
) -> Segmentation:
    """The same with the pixels of strokes as they were drawn, and certain."""
    values = np.array(found.classes, np.int32)
    labels = np.where(drawn, index, labels)
    certain = (np.arange(len(values))[:, None, None] == labels).astype(np.float32)
    return replace(
        found,
        labels=values[labels],
        probabilities=np.where(drawn, certain, found.probabilities),
        uncertainty=np.where(drawn, np.float32(0), found.uncertainty),
    )
