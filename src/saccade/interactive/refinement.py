"""Probabilities at half size to a sharp mask at the size of the image."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.prepared import brightness
from saccade.interactive.presets import PottsSettings
from saccade.refine.guided import enlarged_rows, guided_distributions
from saccade.refine.potts import edge_weights, potts, stack_weights

Map = NDArray[np.float32]

_FORBIDDEN = 1e3
_FLOOR = 1e-4
_KEPT = 0.25  # share of the probabilities before the partition in those after it


@torch.no_grad()
def refine_half(
    probabilities: Tensor, strokes: Tensor, standardized_lab: Tensor, settings: PottsSettings
) -> Tensor:
    """Move borders to image edges at half size; strokes are kept.

    Args:
        probabilities: (K, h, w).
        strokes: (h, w) class index, K where nobody drew.
        standardized_lab: (D, h, w), whose edges borders follow.
        settings: of the minimal partition, see :mod:`saccade.refine.potts`.

    Returns:
        (K, h, w): the partition decides the mask, the uncertainty before it stays visible.
    """
    regions = potts(
        _costs(probabilities, strokes),
        edge_weights(standardized_lab, settings.contrast),
        strength=_strength(settings, probabilities),
        iterations=settings.iterations,
    )
    return blend(regions, probabilities)


@torch.no_grad()
def refine_stack(
    probabilities: Tensor,
    strokes: Tensor,
    standardized_lab: Tensor,
    settings: PottsSettings,
    *,
    depth: float = 1.0,
) -> Tensor:
    """`refine_half` for the slices of a stack at once: a partition in three dimensions.

    Args:
        probabilities: (K, Z, h, w).
        strokes: (Z, h, w) class index, K where nobody drew.
        standardized_lab: (D, Z, h, w), whose edges borders follow.
        settings: of the minimal partition.
        depth: distance of slices in pixels of these maps.

    Returns:
        (K, Z, h, w).
    """
    flat = probabilities.flatten(1, 2)
    regions = potts(
        _costs(flat, strokes.flatten(0, 1)).view_as(probabilities),
        stack_weights(standardized_lab, settings.contrast, depth),
        strength=_strength(settings, flat),
        iterations=settings.iterations,
    )
    return blend(regions, probabilities)


@torch.no_grad()
def refine_working(
    probabilities: Tensor,
    strokes: Tensor,
    half_gray: Tensor,
    working_gray: Tensor,
    edges: tuple[Tensor, Tensor],
    settings: PottsSettings,
) -> Tensor:
    """Bring probabilities to the working size and move borders to edges there.

    Args:
        probabilities: (K, h / 2, w / 2).
        strokes: (h, w) class index, K where nobody drew.
        half_gray: (1, h / 2, w / 2), brightness in [0, 1].
        working_gray: (h, w) uint8, brightness.
        edges: prices of borders at the working size.
        settings: as in `refine_half`; a border is twice as many pixels long here.

    Returns:
        (K, h, w).
    """
    strips = guided_distributions(probabilities, half_gray, working_gray)
    fine = torch.cat([strip for _, strip in strips], 1)
    regions = potts(
        _costs(fine, strokes),
        edges,
        strength=_strength(settings, probabilities) / 2,
        iterations=settings.fine_iterations,
    )
    return blend(regions, fine)


def blend(regions: Tensor, probabilities: Tensor) -> Tensor:
    """Three parts of the regions, which decide the mask, and one of the probabilities before."""
    return (1 - _KEPT) * regions + _KEPT * probabilities


def _strength(settings: PottsSettings, probabilities: Tensor) -> float:
    """The price of a border: the more classes, the flatter their probabilities, so the lower.

    Classes that nobody drew have no probability anywhere and do not count.
    """
    stroked = int((probabilities > 0).flatten(1).any(1).sum())
    return settings.strength * 2 / max(2, stroked)


def _costs(probabilities: Tensor, strokes: Tensor) -> Tensor:
    """-log of probabilities (K, h, w); on strokes (h, w) other classes are forbidden."""
    costs = probabilities.clamp_min(_FLOOR).log_().neg_()
    y, x = (strokes < len(probabilities)).nonzero(as_tuple=True)  # few: not a map for each class
    classes = strokes[y, x]
    own = costs[classes, y, x]
    costs[:, y, x] = _FORBIDDEN
    costs[classes, y, x] = own
    return costs


@torch.no_grad()
def apply_temperature(probabilities: Tensor, temperature: float) -> Tensor:
    """Probabilities (K, h, w) to the power of 1 / ``temperature``, made to sum to 1 again.

    Above 1 they are less sure; which class is likeliest stays.

    >>> apply_temperature(torch.tensor([0.9, 0.1]), 2.0)
    tensor([0.7500, 0.2500])
    """
    if temperature == 1:
        return probabilities
    powers = probabilities.pow(1 / temperature)
    return powers.div_(powers.sum(0))


def gini_uncertainty(probabilities: Tensor) -> Tensor:
    """1 - the sum of squares of (K, h, w), scaled to [0, 1]: (1, h, w), 1 where all are equal."""
    classes = len(probabilities)
    impurity = 1 - probabilities.square().sum(0, keepdim=True)
    return (impurity * (classes / max(1, classes - 1))).clamp(0, 1)


@torch.no_grad()
def upsample(
    probabilities: Tensor, uncertainty: Tensor, rgb: NDArray[np.uint8], *, radius: int = 1
) -> tuple[Map, Map]:
    """Bring maps to the full size, strip by strip.

    Args:
        probabilities: (K, h, w); they follow the image's edges.
        uncertainty: (1, h', w'); enlarged smoothly, texture is no reason to be unsure.
        rgb: (H, W, 3), the full image.
        radius: of the guided filter's windows, in pixels of the maps; 0 enlarges bilinearly.

    Returns:
        Probabilities (K, H, W), sum to 1, and uncertainty (H, W).
    """
    size = (rgb.shape[0], rgb.shape[1])
    full_probabilities = np.empty((len(probabilities), *size), np.float32)
    full_uncertainty = np.empty(size, np.float32)
    strips: Iterable[tuple[int, Tensor]] = [(0, probabilities)]
    if not radius:
        strips = [(0, enlarged_rows(probabilities[None], 0, size[0], size)[0])]
    elif tuple(probabilities.shape[1:]) != size:
        gray = brightness(rgb).to(probabilities.device)
        small = gray[None, None].float() / 255
        guide = F.interpolate(small, probabilities.shape[1:], mode="area")[0]
        strips = guided_distributions(probabilities, guide, gray, radius=radius)
    for top, strip in strips:
        rows = slice(top, top + strip.shape[1])
        full_probabilities[:, rows] = strip.cpu().numpy()
        smooth = enlarged_rows(uncertainty[None], top, strip.shape[1], size)
        full_uncertainty[rows] = smooth[0, 0].cpu().numpy()
    return full_probabilities, full_uncertainty


def coarse_labels(
    probabilities: Tensor, classes: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.int32]:
    """The likeliest class of probabilities (K, h, w), in blocks, as class values (H, W)."""
    small = np.asarray(classes, np.int32)[probabilities.argmax(0).cpu().numpy()]
    rows = np.arange(size[0]) * small.shape[0] // size[0]
    columns = np.arange(size[1]) * small.shape[1] // size[1]
    return np.asarray(small[rows][:, columns])
