"""Planes of a stack ready for the stages of one image, all standardized alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from saccade.images import ReadImage
from saccade.images.planes import Planes
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import Preset
from saccade.models.features import INPUT_CHANNELS, Statistics
from saccade.models.weights import Bundle

_SAMPLED = 8  # planes from which the statistics of features are taken
# What standardizes nothing: `half_size_features` adds 1e-5 to the variance.
_UNCHANGED = Statistics(
    torch.zeros(INPUT_CHANNELS), torch.full((INPUT_CHANNELS,), 1 - 1e-5, dtype=torch.float32)
)


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
        moments = [self._moments(place) for place in dict.fromkeys((*spread, *drawn))]
        mean = torch.stack([first for first, _ in moments]).mean(0)
        variance = torch.stack([second for _, second in moments]).mean(0) - mean.square()
        return replace(self, statistics=Statistics(mean, variance.clamp_min(0)))

    def _moments(self, place: tuple[int, int]) -> tuple[Tensor, Tensor]:
        unchanged = Statistics(*(one.to(self.device) for one in _UNCHANGED))
        maps = self._prepared(self.planes.read(*place), unchanged).inputs
        return maps.mean((0, 2, 3)), maps.square().mean((0, 2, 3))

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
