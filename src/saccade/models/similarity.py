"""How similar places of an image are to strokes, in an embedding that a network has learned."""

from __future__ import annotations

import math

import torch
from torch import Tensor

UNLIKE = -1.0
"""The similarity to strokes that are not there."""

_SAMPLES = 48  # places of a stroke that are compared with, evenly spread


def hard_and_soft_maximum(
    features: Tensor, places: Tensor, sharpness: Tensor
) -> tuple[Tensor, Tensor]:
    """Maxima of the similarity of each place to those of a stroke.

    Args:
        features: (D, P), of length one.
        places: indices of the stroke's places; of many, 48 are taken.
        sharpness: of the soft maximum.

    Returns:
        Hard and soft maximum, each (P,); `UNLIKE` where the stroke has no place.

    >>> features = torch.tensor([[1.0, 0.0, 0.6], [0.0, 1.0, 0.8]])
    >>> hard, soft = hard_and_soft_maximum(features, torch.tensor([0]), torch.tensor(5.0))
    >>> hard.tolist() == soft.tolist(), [round(x, 1) for x in hard.tolist()]
    (True, [1.0, 0.0, 0.6])
    """
    count = len(places)
    if count == 0:
        nothing = features.new_full(features.shape[1:], UNLIKE)
        return nothing, nothing
    if count > _SAMPLES:
        spread = torch.linspace(0, count - 1, _SAMPLES, device=places.device)
        places = places[spread.round().long()]
    like = features[:, places].T @ features
    soft: Tensor = ((sharpness * like).logsumexp(0) - math.log(len(places))) / sharpness
    return like.amax(0), soft
