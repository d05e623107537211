"""Planes of a stack ready for the stages of one image, all standardized alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from saccade.images import ReadImage
from saccade.images.planes import Planes
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import Preset
from saccade.models.features import UNCHANGED, Statistics, statistics_of
from saccade.models.weights import Bundle

_SAMPLED = 8  # planes from which the statistics of features are taken


@dataclass(frozen=True)
class Preparer:
    """Prepares planes of one stack.

    A plane of nothing but ground would, standardized by itself, look as rich as one full of
    things; so all are standardized by the mean and the variance of several.

    Attributes:
        planes: of the stack.
        preset: whose working size and features.
        bundle: the trained weights.
        device: where maps are.
        statistics: of the features of all planes.
    """

    planes: Planes
    preset: Preset
    bundle: Bundle
    device: torch.device
    statistics: Statistics | None = None

    def prepare(self, place: tuple[int, int]) -> PreparedImage:
        """The plane at (t, z)."""
        return self._prepared(self.planes.read(*place), self.statistics)

    def with_statistics(self, stroked: Sequence[tuple[int, int]]) -> Preparer:
        """The same with statistics of planes over the stack, some with strokes among them."""
        places = self.planes.places
        spread = [places[i] for i in _evenly(len(places), _SAMPLED // 2)]
        drawn = [stroked[i] for i in _evenly(len(stroked), _SAMPLED // 2)]
        unchanged = Statistics(*(one.to(self.device) for one in UNCHANGED))
        places = list(dict.fromkeys((*spread, *drawn)))
        maps = (self._prepared(self.planes.read(*one), unchanged).inputs for one in places)
        return replace(self, statistics=statistics_of(maps))

    def _prepared(self, read: ReadImage, statistics: Statistics | None) -> PreparedImage:
        return prepare_image(
            np.ascontiguousarray(read.pixels),
            features=self.preset.network.features,
            max_pixels=self.preset.max_pixels,
            device=self.device,
            bundle=self.bundle,
            statistics=statistics,
            components=read.components,
        )


def without_maps(image: PreparedImage) -> PreparedImage:
    """A prepared image that has what brings a mask to its full size, and no features."""
    return replace(image, inputs=image.inputs[:, :0].clone(), lab=image.lab[:0].clone())


def _evenly(count: int, most: int) -> list[int]:
    """At most so many of the indices below `count`, both ends among them."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))}) if count else []
