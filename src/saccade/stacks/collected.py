"""Masks of planes as they come, or as they are known, along the axes of their stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from saccade.images import Image
from saccade.interactive.result import Segmentation
from saccade.stacks.result import UNFINISHED, StackSegmentation
from saccade.stacks.strokes import StackStrokes, along, plane_axes

KnownPlane = tuple[NDArray[np.int32], NDArray[np.floating]]
"""Labels and uncertainty (H, W)."""


class Collected:
    """Labels and uncertainty of the planes as they come."""

    def __init__(
        self,
        image: Image,
        strokes: StackStrokes,
        known: Mapping[tuple[int, int], KnownPlane],
        finished: Callable[[tuple[int, int], Segmentation], None] | None,
    ) -> None:
        shape = strokes.index.shape
        self._axes, self._classes = plane_axes(image), strokes.classes
        self._labels = np.full(shape, UNFINISHED, np.int32)
        self._uncertainty = np.zeros(shape, np.float16)
        self.done = np.zeros(shape[:2], bool)
        self._finished = finished
        self.known = dict(known)

    def take(self, places: Sequence[tuple[int, int]]) -> bool:
        """Whether the masks of all these places are known; they are taken then."""
        if not all(place in self.known for place in places):
            return False
        for place in places:
            self._labels[place], self._uncertainty[place] = self.known[place]
            self.done[place] = True
        return True

    def add(self, place: tuple[int, int], found: Segmentation) -> None:
        """Keep the mask of a plane."""
        self._labels[place], self._uncertainty[place] = found.labels, found.uncertainty
        self.done[place] = True
        if self._finished is not None:
            self._finished(place, found)

    def segmentation(
        self, remarks: tuple[str, ...], timings: dict[str, float]
    ) -> StackSegmentation:
        """All of it along the axes of the stack."""
        if not self.done.all():
            count = f"{int(self.done.sum())} of {self.done.size} planes"
            remarks = (*remarks, f"cancelled: {count} are finished, labels elsewhere are -1")
        return StackSegmentation(
            along(self._labels, self._axes),
            along(self._uncertainty, self._axes),
            self._axes,
            self._classes,
            self.done,
            tuple(dict.fromkeys(remarks)),
            timings,
        )
