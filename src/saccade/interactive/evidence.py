"""What is known about each class at each pixel, as maps for :class:`EvidenceNet`."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from saccade.scribbles.distances import geodesic_distances

CHANNELS = 12
REGIONS = slice(8, 10)
"""Which of them are the regions by colour alone."""
_LOGIT_LIMIT = 6.0


def normalised_lab(image: Tensor) -> Tensor:
    """CIE Lab of ``image`` (B, H, W, 3) uint8, as (B, 3, H, W) scaled to about [-1, 1]."""
    x = image.movedim(3, 1).float() / 255
    x = torch.where(x > 0.04045, ((x + 0.055) / 1.055).clamp_min(0) ** 2.4, x / 12.92)
    matrix = x.new_tensor(
        [
            [0.412453 / 0.95047, 0.357580 / 0.95047, 0.180423 / 0.95047],
            [0.212671, 0.715160, 0.072169],
            [0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883],
        ]
    )
    xyz = torch.einsum("ij,bjhw->bihw", matrix, x)
    f = torch.where(xyz > 0.008856, xyz.clamp_min(1e-8) ** (1 / 3), 7.787 * xyz + 16 / 116)
    lightness = (116 * f[:, 1] - 16) / 50 - 1
    return torch.stack([lightness, 10 * (f[:, 0] - f[:, 1]), 4 * (f[:, 1] - f[:, 2])], 1)


def _against_rest(distance: Tensor) -> Tensor:
    """(nearest other - own) / (nearest other + own) of distances (P, h, w), in [-1, 1]."""
    if len(distance) == 1:
        return torch.ones_like(distance)
    best, second = distance[0], torch.full_like(distance[0], torch.inf)
    for one in distance[1:]:
        second = second.minimum(best.maximum(one))
        best = best.minimum(one)
    other = torch.where(distance == best, second, best)
    return (other - distance) / (other + distance + 1e-3)


def _euclidean(own: Tensor) -> Tensor:
    """Distance in pixels of each pixel to the strokes of each class; every one has some."""
    fields = [ndimage.distance_transform_edt(~mask) for mask in own.cpu().numpy()]
    return torch.from_numpy(np.stack(fields).astype(np.float32)).to(own.device)


def evidence_maps(
    mean: Tensor,
    spread: Tensor,
    own: Tensor,
    lab: Tensor,
    colour_odds: Tensor,
    regions: Tensor,
) -> Tensor:
    """Stack the evidence of the P classes that somebody drew.

    Args:
        mean: probabilities (P, h, w) of the fitted network.
        spread: their standard deviation over draws (h, w).
        own: (P, h, w) bool, strokes of each class at half size; each has a pixel.
        lab: standardised colours (3, h, w).
        colour_odds: log odds of each class by colour alone (P, h, w).
        regions: partitions by colour alone (2, P, h, w), see `colour_regions`.

    Returns:
        (P, 12, h, w): half the log odds of the class, the same by colour alone, spread, geodesic
        distance against the nearest other class and by itself, Euclidean distance likewise, log
        share of the strokes (0 with fewer than three classes), the two regions, own strokes, other
        strokes.
    """
    drawn = own.any(0)
    geodesic = geodesic_distances(own[None], lab[None])[0]
    flat = _euclidean(own) / min(own.shape[1:])
    odds = torch.logit(mean, eps=1e-4).clamp(-_LOGIT_LIMIT, _LOGIT_LIMIT) / 2
    share = own.flatten(1).sum(1).to(mean.dtype)
    # With two classes how much somebody drew says nothing of their sizes.
    share = (share / share.mean()).log() / 2 if len(own) > 2 else torch.zeros_like(share)
    parts = [
        odds,
        colour_odds / 4,
        4 * spread,
        _against_rest(geodesic),
        torch.log1p(geodesic.clamp_max(50.0)),
        _against_rest(flat),
        flat.clamp_max(2.0),
        share.view(-1, 1, 1),
        *regions,
        own,
        drawn & ~own,
    ]
    return torch.stack([p.to(mean.dtype).expand_as(mean) for p in parts], 1)
