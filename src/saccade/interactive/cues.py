"""What is known about each class at each pixel: the `CUES` that the fusion network reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from saccade.interactive.averaging import AveragedPrediction
from saccade.interactive.color import ColorModel, fit_colors
from saccade.interactive.color_regions import color_regions
from saccade.interactive.stroke_maps import StrokeMaps
from saccade.models.fusion_net import CUES
from saccade.scribbles.distances import geodesic_distances

_LOGIT_LIMIT = 6.0
_OBJECT_LIMIT = 8.0
_FAR = 50.0  # geodesic distance beyond which all is far
_FAR_AWAY = 2.0  # the same of straight lines, in shorter sides


@dataclass(frozen=True)
class KnownClasses:
    """What the strokes of several images say of the classes, for an image of which they say more.

    Attributes:
        stroked: (P,) indices of the classes with strokes somewhere.
        colors: of their labels.
        amounts: (P,) how much somebody drew of each.
    """

    stroked: Tensor
    colors: ColorModel
    amounts: Tensor


@dataclass(frozen=True)
class Distances:
    """Distances to strokes that are not all in the image itself, but in other slices too.

    Attributes:
        geodesic: (P, h, w) along paths of little contrast.
        euclidean: (P, h, w) in a straight line, in shorter sides of the map.
    """

    geodesic: Tensor
    euclidean: Tensor


def _lead(distance: Tensor) -> Tensor:
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
    """Distance of each pixel to the strokes of each class, in shorter sides of the map.

    A class without strokes here, of an image that others speak for, is far from everywhere.
    """
    side = min(own.shape[1:])
    fields = [
        ndimage.distance_transform_edt(~mask)
        if mask.any()
        else np.full(mask.shape, _FAR_AWAY * side)
        for mask in own.cpu().numpy()
    ]
    return torch.from_numpy(np.stack(fields).astype(np.float32)).to(own.device) / side


def _geodesic(own: Tensor, standardized_lab: Tensor) -> Tensor:
    """Geodesic distance of each pixel to the strokes of each class (P, h, w), as `_euclidean`."""
    drawn = own.flatten(1).any(1)
    if not drawn.any():
        return torch.full(own.shape, _FAR, device=own.device)
    distances = geodesic_distances(own[None], standardized_lab[None])[0]
    return distances.masked_fill_(~drawn.view(-1, 1, 1), _FAR)


def stack_cues(
    mean: Tensor,
    spread: Tensor,
    own: Tensor,
    standardized_lab: Tensor,
    color_odds: Tensor,
    regions: Tensor,
    objects: Tensor | None = None,
    last: Tensor | None = None,
    amounts: Tensor | None = None,
    distances: Distances | None = None,
) -> Tensor:
    """Stack the cues of the P classes that somebody drew.

    Args:
        mean: probabilities (P, h, w) of the fitted network.
        spread: their standard deviation over draws (h, w).
        own: (P, h, w) bool, strokes of each class at half size.
        standardized_lab: (D, h, w).
        color_odds: log odds of each class by color alone (P, h, w).
        regions: partitions by color alone (2, P, h, w), see `color_regions`.
        objects: log odds of each class by the object network (P, h, w), where it was asked.
        last: probabilities of the mask that the strokes correct (P, h, w), where there was one.
        amounts: how much somebody drew of each class (P,); by default pixels of ``own``.
        distances: to the strokes of each class; by default to ``own``.

    Returns:
        (P, len(CUES), h, w), channels in the order of `saccade.models.fusion_net.CUES`.
    """
    strokes = own.any(0)
    if distances is None:
        distances = Distances(_geodesic(own, standardized_lab), _euclidean(own))
    geodesic, euclidean = distances.geodesic, distances.euclidean
    odds = torch.logit(mean, eps=1e-4).clamp(-_LOGIT_LIMIT, _LOGIT_LIMIT)
    share = (own.flatten(1).sum(1) if amounts is None else amounts).to(mean.dtype)
    # With two classes how much somebody drew says nothing of their sizes.
    share = (share / share.mean()).log() / 2 if len(own) > 2 else torch.zeros_like(share)
    cues = {
        "network": odds / 2,
        "color": color_odds / 4,
        "spread": 4 * spread,
        "geodesic_lead": _lead(geodesic),
        "geodesic": torch.log1p(geodesic.clamp_max(_FAR)),
        "euclidean_lead": _lead(euclidean),
        "euclidean": euclidean.clamp_max(_FAR_AWAY),
        "share": share.view(-1, 1, 1),
        "color_region": regions[0],
        "color_region_refitted": regions[1],
        "strokes": own,
        "other_strokes": strokes & ~own,
        **_object_cues(objects, mean),
        "last": torch.zeros_like(mean) if last is None else 2 * last - 1,
    }
    return torch.stack([cues[name].to(mean.dtype).expand_as(mean) for name in CUES], 1)


def _object_cues(objects: Tensor | None, mean: Tensor) -> dict[str, Tensor]:
    """Half the log odds (P, h, w), and half of by how much they exceed those of the best other."""
    if objects is None:
        return {"object": torch.zeros_like(mean), "object_lead": torch.zeros_like(mean)}
    objects = objects.clamp(-_OBJECT_LIMIT, _OBJECT_LIMIT)
    others = [torch.cat([objects[:k], objects[k + 1 :]]).amax(0) for k in range(len(objects))]
    return {"object": objects / 2, "object_lead": (objects - torch.stack(others)) / 4}


@torch.no_grad()
def compute_cues(
    averaged: AveragedPrediction,
    strokes: StrokeMaps,
    lab: Tensor,
    standardized_lab: Tensor,
    *,
    generator: torch.Generator,
    known: KnownClasses | None = None,
    distances: Distances | None = None,
) -> Tensor:
    """All cues about the P classes that somebody drew.

    Args:
        averaged: the fitted network's answer.
        strokes: strokes and labels at half size.
        lab: (D, h, w), what color models are fitted to, of `PreparedImage`.
        standardized_lab: (D, h, w), whose edges distances and regions follow.
        generator: of the color models.
        known: what the strokes of several images say; without it those of this image speak.
        distances: to strokes of other slices too.

    Returns:
        (P, len(CUES), h, w), rows in the order of ``strokes.stroked``, or of ``known.stroked``.
    """
    stroked, count = strokes.stroked, strokes.count
    if known is None:
        colors = fit_colors([(lab, strokes.labels_half)], count, generator=generator)
    else:
        stroked, colors = known.stroked, known.colors
    own = strokes.seeds_half == stroked.view(-1, 1, 1)
    odds = colors.log_odds(lab)[stroked]
    row_of_class = torch.full((count + 1,), len(stroked), device=stroked.device)
    row_of_class[stroked] = torch.arange(len(stroked), device=stroked.device)
    regions = color_regions(
        lab, standardized_lab, row_of_class[strokes.seeds_half], odds, generator=generator
    )
    return stack_cues(
        averaged.mean[stroked],
        averaged.spread,
        own,
        standardized_lab,
        odds,
        regions,
        strokes.objects,
        strokes.last,
        None if known is None else known.amounts,
        distances,
    )
