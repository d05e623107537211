"""How similar places of an image are to strokes, in an embedding that a network has learned."""

from __future__ import annotations

import math

import torch
from torch import Tensor

UNLIKE = -1.0
"""The similarity to strokes that are not there."""

_SAMPLES = 48  # places of a stroke that are compared with, evenly spread


def at_strokes(features: Tensor, places: Tensor) -> Tensor:
    """Vectors (D, n) at a stroke's places, 48 of many.

    Args:
        features: (D, P).
        places: indices.
    """
    return features[:, few_of(places)]


def few_of(places: Tensor) -> Tensor:
    """At most 48 of a list, evenly spread."""
    count = len(places)
    if count <= _SAMPLES:
        return places
    spread = torch.linspace(0, count - 1, _SAMPLES, device=places.device)
    return places[spread.round().long()]


def hard_and_soft_maximum(
    features: Tensor, places: Tensor, sharpness: Tensor, elsewhere: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Maxima of the similarity of each place to those of a stroke.

    Args:
        features: (D, P), of length one.
        places: indices of the stroke's places; of many, 48 are taken.
        sharpness: of the soft maximum.
        elsewhere: (D, n) vectors at strokes of other images, which count as much as these.

    Returns:
        Hard and soft maximum, each (P,); `UNLIKE` where the stroke has no place.

    >>> features = torch.tensor([[1.0, 0.0, 0.6], [0.0, 1.0, 0.8]])
    >>> hard, soft = hard_and_soft_maximum(features, torch.tensor([0]), torch.tensor(5.0))
    >>> hard.tolist() == soft.tolist(), [round(x, 1) for x in hard.tolist()]
    (True, [1.0, 0.0, 0.6])
    """
    drawn = at_strokes(features, places)
    if elsewhere is not None:
        drawn = torch.cat([drawn, elsewhere], 1)
    if drawn.shape[1] == 0:
        nothing = features.new_full(features.shape[1:], UNLIKE)
        return nothing, nothing
    like = drawn.T @ features
    soft: Tensor = ((sharpness * like).logsumexp(0) - math.log(drawn.shape[1])) / sharpness
    return like.amax(0), soft
