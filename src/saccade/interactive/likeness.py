"""Whether an image looks like those that a model was fitted to.

The regression and the networks see every image standardized, and so answer of any image, also of
one that is something else. What an image is shows in the maps of the object network's encoder
before they are standardized: their means over the image, in units of how much they differ from part
to part of the images that were fitted to. How far these are from each other says how far is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

PARTS = 4
"""Rows and columns of parts of an image."""
UNLIKE = "looks unlike the images that the model was fitted to"
_MARGIN = 1.25  # of the largest distance of one fitted image from the others
_LOWEST = 0.5  # limit, where all fitted images are nearly one, as slices of a stack are
_OF_ONE = 5.0  # limit, where a single image says nothing of how images of its kind differ
_SPREAD = 0.02  # least spread of a map: what is flat in one image need not be so in others


def means_of_parts(maps: Sequence[Tensor]) -> Tensor:
    """Means (D, PARTS * PARTS) of maps (1, C, h, w), one after another.

    >>> means_of_parts([torch.zeros(1, 2, 8, 12), torch.ones(1, 3, 4, 6)]).shape
    torch.Size([5, 16])
    """
    return torch.cat([F.adaptive_avg_pool2d(one[0].float(), PARTS).flatten(1) for one in maps])


@dataclass(frozen=True)
class Likeness:
    """How images of a kind look.

    Attributes:
        means: (I, D) mean of each map over each image that was fitted to.
        spread: (D,) standard deviation of the maps over parts of these images.
        limit: distance beyond which an image is unlike them.
    """

    means: Tensor
    spread: Tensor
    limit: float

    def distance(self, parts: Tensor) -> float:
        """Of an image with `means_of_parts` (D, n) from the nearest of those that were fitted to.

        The root of the mean square over the maps, in units of their spread.
        """
        return _nearest(self.means, parts.mean(1), self.spread)

    def remark(self, parts: Tensor) -> str | None:
        """A line for an image that is unlike them; None for others."""
        far = self.distance(parts) / self.limit
        if far <= 1:
            return None
        return f"{UNLIKE} ({far:.1f} times as far as usual): its mask may be wrong"


def _nearest(means: Tensor, one: Tensor, spread: Tensor) -> float:
    return float(((means - one) / spread).square().mean(1).sqrt().min())


def likeness_of(images: Sequence[Tensor]) -> Likeness:
    """From `means_of_parts` (D, n) of each image that was fitted to.

    >>> parts = torch.randn(20, 16, generator=torch.Generator().manual_seed(0))
    >>> found = likeness_of([parts, parts + 0.1, parts - 0.1])
    >>> found.remark(parts + 0.2) is None
    True
    >>> found.remark(parts + 5).split(":")[0]
    'looks unlike the images that the model was fitted to (11.3 times as far as usual)'
    """
    means = torch.stack([parts.mean(1) for parts in images])
    spread = _spread(images)
    if len(images) == 1:
        return Likeness(means, spread, _OF_ONE)
    usual = []
    for number in range(len(images)):
        others = [*images[:number], *images[number + 1 :]]
        without = torch.cat([means[:number], means[number + 1 :]])
        usual.append(_nearest(without, means[number], _spread(others)))
    return Likeness(means, spread, max(_LOWEST, _MARGIN * max(usual)))


def _spread(images: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(images), 1).std(1, correction=0).clamp_min(_SPREAD)
