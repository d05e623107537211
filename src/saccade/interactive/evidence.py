"""What is known about each class at each pixel, as maps for :class:`EvidenceNet`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.scribbles.distances import geodesic_distances

CHANNELS = 9
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
    """(nearest other - own) / (nearest other + own) of distances (B, K, H, W), in [-1, 1]."""
    best2, index = distance.topk(2, 1, largest=False)
    own_is_best = index[:, :1] == torch.arange(distance.shape[1], device=distance.device).view(
        1, -1, 1, 1
    )
    other = torch.where(own_is_best, best2[:, 1:], best2[:, :1])
    return (other - distance) / (other + distance + 1e-3)


def evidence_maps(
    mean: Tensor, spread: Tensor, marks: Tensor, lab: Tensor, colour_odds: Tensor
) -> Tensor:
    """Stack the evidence.

    Args:
        mean: probabilities (B, K, h, w) of the fitted network.
        spread: their standard deviation over draws (B, h, w).
        marks: strokes at half size (B, h, w), values >= K are no stroke.
        lab: standardised colours (B, 3, h, w).
        colour_odds: log odds of each class by colour alone (B, K, h, w).

    Returns:
        (B, K, 9, h, w): log odds of the class, the same by colour alone, spread, geodesic
        distance against the nearest other class and by itself, Euclidean distance likewise, own
        strokes, other strokes.
    """
    classes = mean.shape[1]
    own = F.one_hot(marks.clamp(max=classes), classes + 1)[..., :classes].movedim(3, 1).bool()
    drawn = own.any(1, keepdim=True)
    coarse = F.avg_pool2d(lab, 2, ceil_mode=True)
    seeds = F.max_pool2d(own.float(), 2, ceil_mode=True).bool()
    size = tuple(mean.shape[2:])
    geodesic = geodesic_distances(seeds, coarse)
    blank = torch.zeros_like(coarse[:, :1])
    flat = geodesic_distances(seeds, blank, step=2.0 / min(size), rounds=1)
    grown = [
        F.interpolate(d.clamp_max(50.0), size, mode="bilinear", align_corners=False)
        for d in (_against_rest(geodesic), torch.log1p(geodesic), _against_rest(flat), flat)
    ]
    odds = torch.logit(mean.clamp(1e-4, 1 - 1e-4)).clamp(-_LOGIT_LIMIT, _LOGIT_LIMIT) / 2
    others = (drawn & ~own).to(mean.dtype)
    spreads = 4 * spread.unsqueeze(1).expand_as(odds)
    parts = [odds, colour_odds / 4, spreads, *grown, own.to(mean.dtype), others]
    return torch.stack([p.to(mean.dtype) for p in parts], 2)
