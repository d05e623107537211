"""Ground that is assumed while one class alone was drawn, so that there is a first mask."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.interactive.prepared import PreparedImage
from saccade.scribbles.distances import geodesic_distances

_SHARE = 0.5
_SURE = 3.0  # log odds from which the object network's word is taken
_LEAST = 0.02  # share of the image that has to be ground


def provisional_ground(image: PreparedImage, drawn: Tensor, odds: Tensor | None = None) -> Tensor:
    """Where everything else seems to be: what the fit and the cues take for strokes on it.

    Args:
        image: of `prepare_image`.
        drawn: (h / 2, w / 2) bool, where the one class was drawn.
        odds: (h / 2, w / 2) log odds of everything else by the object network, where it is asked.

    Returns:
        (h / 2, w / 2) bool, True nowhere on ``drawn``.
    """
    if odds is not None:
        sure = (odds > _SURE) & ~drawn
        if sure.float().mean() > _LEAST:
            return sure
    distance = geodesic_distances(drawn[None, None], image.standardized_lab[None])[0, 0]
    ring = torch.ones_like(drawn)
    ring[2:-2, 2:-2] = False
    free = ring & ~drawn
    if not free.any():
        return ~drawn
    return free & (distance >= distance[free].quantile(1 - _SHARE))
