"""Regions by color alone: what a graph cut with color mixtures would answer.

A color that occurs on both sides of a border says little pixel by pixel, and much once borders are
dear: a minimal partition of the colors' odds at a quarter of the size, and another one with the
mixtures fitted again to the first, as GrabCut does. What no stroke of a class reaches is left to
the other classes. The fusion network reads the regions like any other cue.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.color import fit_colors
from saccade.refine.potts import edge_weights, potts

ROUNDS = 2
_STRENGTH = 50.0  # ten times that of the last partition: colors alone say little
ITERATIONS, ITERATIONS_SEVERAL = 100, 50  # of two classes, of more: those cost by the class
_FORBIDDEN = 1e3
_SAMPLES = 400  # of each class, for the second mixtures
_SMALLEST_PART = 0.1  # of the largest with a stroke: smaller ones were only crossed
_ALIKE = 4  # times larger or smaller
_SEVERAL = 5  # parts without a stroke


@torch.no_grad()
def color_regions(
    lab: Tensor,
    standardized_lab: Tensor,
    strokes: Tensor,
    odds: Tensor,
    *,
    generator: torch.Generator,
) -> Tensor:
    """Minimal partitions by the colors' odds.

    Args:
        lab: (D, h, w), what the mixtures are fitted to.
        standardized_lab: (D, h, w); borders follow its edges.
        strokes: (h, w) class index, K where nobody drew.
        odds: of the `ColorModel` of the strokes' labels (K, h, w).
        generator: of the mixtures.

    Returns:
        (2, K, h, w) in [0, 1]: the partition of `odds`, and that of the odds fitted again to it.
    """
    classes, size = len(odds), odds.shape[1:]
    small = tuple((n + 1) // 2 for n in size)
    # One resampling of all: each pass over the maps costs as much as an iteration does.
    shrunk = F.interpolate(torch.cat([lab, standardized_lab, odds])[None], small, mode="area")[0]
    channels = len(lab)
    lab, standardized_lab = shrunk[:channels], shrunk[channels : 2 * channels]
    odds = shrunk[2 * channels :]
    weights = edge_weights(standardized_lab)
    own = (strokes == torch.arange(classes, device=strokes.device).view(-1, 1, 1)).float()
    own = F.adaptive_max_pool2d(own, small).bool()
    forbidden = own.any(0) & ~own
    regions: list[Tensor] = []
    for _ in range(ROUNDS):
        if regions:
            labels = _winners(regions[-1])
            model = fit_colors([(lab, labels)], classes, generator=generator, samples=_SAMPLES)
            # A class that this image does not show keeps its colors.
            odds = model.log_odds(lab) if len(model.present) == classes else odds
        costs = -odds.log_softmax(0) if classes > 2 else F.softplus(-odds)
        partition = potts(
            costs.masked_fill(forbidden, _FORBIDDEN),
            weights,
            strength=_STRENGTH,
            iterations=ITERATIONS if classes <= 2 else ITERATIONS_SEVERAL,
        )
        regions.append(keep_reached(partition, own))
    return F.interpolate(torch.stack(regions), size, mode="bilinear")


def keep_reached(regions: Tensor, strokes: Tensor) -> Tensor:
    """Give to the other classes what strokes of a class do not reach.

    Colors come back far from a thing: sky like a shirt, a leaf like a mushroom. Somebody who means
    such a place draws there. What lies between parts with strokes stays, as the ground that is seen
    below an arm does: more than half of it is inside of their convex hull. So does all of a class
    that repeats: two of its parts have strokes, or several of a like size have none.

    Args:
        regions: soft partition (K, h, w).
        strokes: of each class (K, h, w) bool.

    Returns:
        (K, h, w), the parts that are not reached shared evenly among the other classes.
    """
    if len(regions) < 2:
        return regions
    labels = _winners(regions).cpu().numpy()
    out = regions.clone()
    for k, own in enumerate(strokes.cpu().numpy()):
        unreached = _unreached(labels == k, own)
        if unreached is not None:
            lost = torch.from_numpy(unreached).to(regions.device)
            out[:, lost] = 1 / (len(regions) - 1)
            out[k, lost] = 0
    return out


def _winners(regions: Tensor) -> Tensor:
    """The likeliest class (h, w); along this axis `argmax` takes twenty times as long."""
    return regions.max(0).indices


def _unreached(mask: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Parts of ``mask`` (h, w) without ``seeds`` (h, w) that lie outside of the others' hull.

    None if there are none, no part has a seed, or the class repeats. Pixels that touch at a
    corner are one part.
    """
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    held = np.zeros(count + 1, bool)
    held[parts[seeds & mask]] = True
    lost = ~held
    lost[0] = False
    if not lost.any() or not held.any():
        return None
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    if _repeats(areas[held], areas[lost]):
        return None
    y, x = np.nonzero(lost[parts])
    inside = np.bincount(parts[y, x][_in_hull(held[parts], y, x)], minlength=count + 1)
    lost &= 2 * inside <= areas
    return np.asarray(lost[parts]) if lost.any() else None


def _repeats(held: NDArray[np.integer], lost: NDArray[np.integer]) -> bool:
    """Whether a class has many objects, by the areas of its parts with strokes and without."""
    several = (held >= _SMALLEST_PART * held.max()).sum() > 1
    typical = np.median(held)
    alike = (lost * _ALIKE > typical) & (lost < typical * _ALIKE)
    return bool(several or alike.sum() >= _SEVERAL)


def _in_hull(
    mask: NDArray[np.bool_], y: NDArray[np.integer], x: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Whether places lie in the convex hull of the pixels of ``mask`` (h, w)."""
    from scipy.spatial import ConvexHull  # not at the top: few images need it

    rows = np.flatnonzero(mask.any(1))
    first, last = mask[rows].argmax(1), mask.shape[1] - mask[rows, ::-1].argmax(1)
    corners = [np.stack([r, c], 1) for r in (rows, rows + 1) for c in (first, last)]
    sides = ConvexHull(np.concatenate(corners)).equations
    centres = np.stack([y + 0.5, x + 0.5])
    return np.asarray((sides[:, :2] @ centres <= -sides[:, 2:]).all(0))
