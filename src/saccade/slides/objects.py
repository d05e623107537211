"""The objects of a large image, found strip by strip: those that are found of the whole.

Connected parts are numbered in each strip and joined where strips meet. What touches is parted in
each connected part alone, as `saccade.objects` does it, so that a part in its box gives what the
whole image gives. The numbers lie in a file that is mapped to memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from saccade.errors import InputError
from saccade.images.image import ArrayLike
from saccade.objects.separation import separate_touching

ROWS = 512
"""Rows that are looked at together."""
MOST_PIXELS = 1 << 24
"""Of the box of a connected part; one of a larger box is a single object."""

Progress = Callable[[float], None]


@dataclass(frozen=True)
class SlideObjects:
    """The objects of a large image.

    Attributes:
        labels: (H, W) uint32, mapped from a file: 0 where there is none, 1..N in the order of
            their first pixels.
        classes: (N,) int32 class value of each.
        confidences: (N,) float32 mean of how sure its pixels are.
        areas: (N,) pixels.
        boxes: (N, 4) rows and columns at which each begins and ends: top, left, bottom, right.
        whole: connected parts whose box is so large that what may touch in them was not parted.
    """

    labels: NDArray[np.uint32]
    classes: NDArray[np.int32]
    confidences: NDArray[np.float32]
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]
    whole: int

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self.classes)


def find_slide_objects(
    labels: ArrayLike,
    confidence: ArrayLike,
    path: Path,
    *,
    separate: bool = True,
    min_area: int = 1,
    background: Collection[int] = (0,),
    progress: Progress = lambda done: None,
) -> SlideObjects:
    """Find the objects of a mask that is read strip by strip.

    Args:
        labels: (H, W) class values, indexed by two slices.
        confidence: (H, W) uint8, 255 where the class of a pixel is certain.
        path: of a file for the numbers, 4 bytes a pixel; it is as long as the objects are in use.
        separate: part objects that touch, by shape and confidence.
        min_area: objects of fewer pixels are left out.
        background: class values that are no objects.
        progress: told the share that is done, in [0, 1].

    Raises:
        InputError: an area below 1.

    Example:
        >>> mask = np.zeros((20, 30), np.uint8)
        >>> mask[2:8, 2:8] = mask[12:18, 20:28] = 1
        >>> find_slide_objects(mask, np.full_like(mask, 255), Path("numbers"), separate=False).count
        2
    """
    if min_area < 1:
        raise InputError(f"min_area is {min_area}, expected at least 1 pixel")
    numbers: Any = np.memmap(path, np.uint32, "w+", shape=tuple(labels.shape))
    values = _connect(labels, numbers, set(background), lambda done: progress(0.4 * done))
    whole = 0
    if separate:
        values, whole = _part(numbers, values, confidence, lambda done: progress(0.4 + 0.4 * done))
    sums = _Sums(len(values))
    for rows in bands(numbers):
        sums.add(rows.start, numbers[rows], confidence[rows, slice(0, numbers.shape[1])])
    chosen = np.flatnonzero(sums.areas >= min_area)
    chosen = chosen[np.argsort(sums.first[chosen])]
    new = np.zeros(len(values) + 1, np.uint32)
    new[chosen + 1] = np.arange(1, len(chosen) + 1)
    for rows in bands(numbers):
        numbers[rows] = new[numbers[rows]]
        progress(0.8 + 0.2 * rows.stop / len(numbers))
    areas = sums.areas[chosen]
    sure = (sums.confidence[chosen] / np.maximum(areas, 1) / 255).astype(np.float32)
    return SlideObjects(numbers, values[chosen], sure, areas, sums.boxes[chosen], whole)


def bands(array: NDArray[Any]) -> Iterator[slice]:
    """Rows of an array, some at a time."""
    for top in range(0, len(array), ROWS):
        yield slice(top, min(top + ROWS, len(array)))


def _connect(
    labels: ArrayLike, numbers: NDArray[np.uint32], background: set[int], progress: Progress
) -> NDArray[np.int32]:
    """Number the connected parts of each class 1, 2, ...; returns their class values."""
    values: list[NDArray[np.int32]] = []
    meeting: list[NDArray[np.int64]] = []
    count, above, above_values = 0, None, None
    for rows in bands(numbers):
        strip = np.asarray(labels[rows, slice(0, numbers.shape[1])]).astype(np.int32)
        strip[np.isin(strip, sorted(background))] = -1
        pieces = _connected(strip)
        found = int(pieces.max())
        own = np.zeros(found + 1, np.int32)
        own[pieces.ravel()] = strip.ravel()
        values.append(own[1:])
        pieces = np.where(pieces, pieces + count, 0)
        numbers[rows] = pieces
        if above is not None:
            same = (above > 0) & (pieces[0] > 0) & (above_values == strip[0])
            meeting.append(np.unique(np.stack([above[same], pieces[0][same]]), axis=1))
        above, above_values, count = pieces[-1], strip[-1], count + found
        progress(0.7 * rows.stop / len(numbers))
    each = np.concatenate(values)
    pairs = np.concatenate(meeting, axis=1) - 1 if meeting else np.zeros((2, 0), np.int64)
    ones = np.ones(pairs.shape[1], bool)
    graph = sparse.coo_array((ones, (pairs[0], pairs[1])), shape=(count, count))
    parts, of_piece = csgraph.connected_components(graph, directed=False)
    joined = np.append(0, of_piece + 1).astype(np.uint32)
    for rows in bands(numbers):
        numbers[rows] = joined[numbers[rows]]
        progress(0.7 + 0.3 * rows.stop / len(numbers))
    of_part = np.zeros(parts, np.int32)
    of_part[of_piece] = each
    return of_part


def _connected(strip: NDArray[np.int32]) -> NDArray[np.int64]:
    """Connected pixels of one value above -1 as 1, 2, ..."""
    from skimage import measure

    tools: Any = measure  # its functions carry no types
    return np.asarray(tools.label(strip, background=-1, connectivity=1), np.int64)


def _part(
    numbers: NDArray[np.uint32],
    values: NDArray[np.int32],
    confidence: ArrayLike,
    progress: Progress,
) -> tuple[NDArray[np.int32], int]:
    """Part what touches in each connected part; the class values then, and parts left whole."""
    sums = _Sums(len(values))
    for rows in bands(numbers):
        sums.add(rows.start, numbers[rows], None)
    more, count, whole = [], len(values), 0
    for place in np.argsort(sums.first):  # from top to bottom, as the confidences are read
        top, left, bottom, right = sums.boxes[place].tolist()
        if (bottom - top) * (right - left) > MOST_PIXELS:
            whole += 1
            continue
        box = slice(top, bottom), slice(left, right)
        own = numbers[box] == place + 1
        found = separate_touching(own, confidence[box].astype(np.float32) / 255)
        further = int(found.max()) - 1
        if further > 0:
            apart = found > 1  # the first keeps the number
            numbers[box][apart] = found[apart] - 1 + count
            more.append(np.full(further, values[place]))
            count += further
        progress(bottom / len(numbers))
    return np.concatenate([values, *more]).astype(np.int32), whole


class _Sums:
    """Of objects 1..`count`: pixels, first pixel, box, and confidence, over strips."""

    def __init__(self, count: int) -> None:
        self.areas = np.zeros(count, np.int64)
        self.first = np.full(count, np.iinfo(np.int64).max)
        self.confidence = np.zeros(count)
        self.boxes = np.zeros((count, 4), np.int64)
        self.boxes[:, :2] = np.iinfo(np.int64).max

    def add(
        self, top: int, strip: NDArray[np.uint32], confidence: NDArray[np.uint8] | None
    ) -> None:
        """Add the numbers of rows from `top` on; without confidences these are not summed."""
        counts = np.bincount(strip.ravel(), minlength=len(self.areas) + 1)[1:]
        numbers = np.flatnonzero(counts)
        self.areas += counts
        new = np.zeros(len(counts) + 1, np.int32)
        new[numbers + 1] = np.arange(1, len(numbers) + 1)
        local = new[strip]
        if confidence is not None:
            sums = np.bincount(local.ravel(), confidence.ravel(), minlength=len(numbers) + 1)
            self.confidence[numbers] += sums[1:]
        for number, (down, across) in zip(numbers, ndimage.find_objects(local), strict=True):
            box = self.boxes[number]
            box[:2] = np.minimum(box[:2], (top + down.start, across.start))
            box[2:] = np.maximum(box[2:], (top + down.stop, across.stop))
        at = np.flatnonzero(local)[::-1]
        first = np.zeros(len(numbers) + 1, np.int64)
        first[local.ravel()[at]] = at + top * strip.shape[1]  # the last written is the first
        self.first[numbers] = np.minimum(self.first[numbers], first[1:])
