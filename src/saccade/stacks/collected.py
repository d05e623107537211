"""Masks of planes as they come, or as they are known, along the axes of their stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from saccade.images import Image
from saccade.interactive.result import Segmentation
from saccade.stacks.result import UNFINISHED, StackSegmentation
from saccade.stacks.strokes import along, plane_axes

KnownPlane = (
    tuple[NDArray[np.int32], NDArray[np.floating]]
    | tuple[NDArray[np.int32], NDArray[np.floating], NDArray[np.floating]]
)
"""Labels and uncertainty (H, W), and the probability of each label, where it is known."""


class Collected:
    """Labels and uncertainty of the planes as they come."""

    def __init__(
        self,
        image: Image,
        classes: tuple[int, ...],
        known: Mapping[tuple[int, int], KnownPlane],
        finished: Callable[[tuple[int, int], Segmentation], None] | None,
    ) -> None:
        shape = (image.count("T"), image.count("Z"), *image.size)
        self._axes, self._classes = plane_axes(image), classes
        self._labels = np.full(shape, UNFINISHED, np.int32)
        self._uncertainty = np.zeros(shape, np.float16)
        self._confidence = np.full(shape, np.nan, np.float16)
        self.done = np.zeros(shape[:2], bool)
        self._finished = finished
        self.known = dict(known)

    def take(self, places: Sequence[tuple[int, int]]) -> bool:
        """Whether the masks of all these places are known; they are taken then."""
        if not all(place in self.known for place in places):
            return False
        for place in places:
            known = self.known[place]
            self._labels[place], self._uncertainty[place] = known[:2]
            if len(known) == 3:
                self._confidence[place] = known[2]
            self.done[place] = True
        return True

    def add(self, place: tuple[int, int], found: Segmentation) -> None:
        """Keep the mask of a plane."""
        self._labels[place], self._uncertainty[place] = found.labels, found.uncertainty
        self._confidence[place] = label_probability(found)
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
            along(self._confidence, self._axes),
        )


def label_probability(found: Segmentation) -> NDArray[np.float32]:
    """(H, W) probability of the label that each pixel has."""
    row = np.searchsorted(found.classes, found.labels)
    chosen: NDArray[np.float32] = np.take_along_axis(found.probabilities, row[None], 0)[0]
    return chosen
