"""Ground that is assumed while one class alone was drawn, so that there is a first mask.

Seeds of the ground are those parts of the image's border ring that are least like the strokes: by
paths of little contrast, by color and by distance, ranked and averaged. So an object that reaches
the border keeps its part of it. They are grown to what is joined to them much better than to the
strokes. ``benchmarks.first_mask`` compares this with simpler choices.
"""

from __future__ import annotations

import torch
from scipy import ndimage
from torch import Tensor

from saccade.interactive.prepared import PreparedImage
from saccade.scribbles.distances import geodesic_distances

_RING = 2  # pixels wide
_RING_SHARE = 0.5  # of the ring that is ground: things may reach half of it
_JOINED = 0.2  # most of (way to the ring's ground) / (that + way to the strokes) that is ground
_MOST = 0.3  # of the image that is grown to
_SURE = 3.0  # log odds from which the object network's word is taken
_LEAST = 0.02  # share of the image that has to be ground
_COLORS = 40  # of the strokes that colors are compared with


def provisional_ground(image: PreparedImage, drawn: Tensor, odds: Tensor | None = None) -> Tensor:
    """Where everything else seems to be: what the fit and the cues take for strokes on it.

    Args:
        image: of `prepare_image`.
        drawn: (h / 2, w / 2) bool, where the one class was drawn.
        odds: (h / 2, w / 2) log odds of everything else by the object network, where it is asked.

    Returns:
        (h / 2, w / 2) bool, True nowhere on ``drawn``; all of the rest where strokes cover the
        border.

    >>> import numpy as np
    >>> from saccade.interactive.prepared import prepare_image
    >>> rgb = np.full((64, 96, 3), 40, np.uint8)
    >>> rgb[20:44, 30:66] = 200
    >>> drawn = torch.zeros(32, 48, dtype=torch.bool)
    >>> drawn[15, 20:28] = True
    >>> ground = provisional_ground(prepare_image(rgb), drawn)
    >>> bool(ground.any()), bool(ground[11:21, 16:32].any())
    (True, False)
    """
    if odds is not None:
        sure = (odds > _SURE) & ~drawn
        if sure.float().mean() > _LEAST:
            return sure
    free = _border_ring(drawn) & ~drawn
    if not free.any():
        return ~drawn
    to_strokes = _paths(drawn, image.standardized_lab)
    unlike = _rank(to_strokes) + _rank(_color_distance(drawn, image.standardized_lab))
    unlike += _rank(_straight(drawn))
    ring = free & (unlike >= unlike[free].quantile(1 - _RING_SHARE))
    to_ring = _paths(ring, image.standardized_lab)
    share = to_ring / (to_ring + to_strokes + 1e-3)
    nearest = share.flatten().kthvalue(max(1, int(_MOST * share.numel()))).values
    return ring | ((share < _JOINED) & (share <= nearest) & ~drawn)


def _border_ring(drawn: Tensor) -> Tensor:
    ring = torch.ones_like(drawn)
    ring[_RING:-_RING, _RING:-_RING] = False
    return ring


def _paths(seeds: Tensor, lab: Tensor) -> Tensor:
    """Distance (h, w) along paths of little contrast."""
    return geodesic_distances(seeds[None, None], lab[None])[0, 0]


def _straight(drawn: Tensor) -> Tensor:
    """Distance (h, w) in a straight line."""
    return torch.from_numpy(ndimage.distance_transform_edt(~drawn.cpu().numpy())).to(drawn.device)


def _color_distance(drawn: Tensor, lab: Tensor) -> Tensor:
    """Distance (h, w) of each color to the nearest of the strokes' colors."""
    colors = lab[:, drawn]
    colors = colors[:, :: -(-colors.shape[1] // _COLORS)]
    return torch.cdist(lab.flatten(1).mT, colors.mT).amin(1).view(drawn.shape)


def _rank(values: Tensor) -> Tensor:
    """Values (h, w) by their order, from 0 to 1."""
    order = values.flatten().argsort(stable=True)
    ranks = torch.empty(len(order), device=values.device)
    ranks[order] = torch.linspace(0, 1, len(order), device=values.device)
    return ranks.view(values.shape)
