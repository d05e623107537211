"""Enlarging maps so that they follow the edges of the full-size image, strip by strip."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F


def _mean(maps: Tensor, radius: int) -> Tensor:
    side = 2 * radius + 1
    return F.avg_pool2d(maps, side, 1, radius, count_include_pad=False)


def guided_strips(
    maps: Tensor,
    guide: Tensor,
    full: Tensor,
    *,
    radius: int = 4,
    epsilon: float = 1e-4,
    rows: int = 256,
) -> Iterator[tuple[int, Tensor]]:
    """Enlarge ``maps`` with the fast guided filter (He and Sun, 2015).

    The filter's linear coefficients are found at the small size and enlarged bilinearly, so only
    one strip of the full size is in memory at a time.

    Args:
        maps: (K, h, w), values in [0, 1].
        guide: (1, h, w), the small image's brightness in [0, 1].
        full: (H, W), the full image's brightness as uint8.
        radius: of the filter's windows, in small pixels.
        epsilon: brightness variance below which a window counts as flat.
        rows: height of a strip.

    Yields:
        The first row and the strip (K, n, W) from there, values in [0, 1].
    """
    g, p = guide.unsqueeze(0), maps.unsqueeze(0)
    mean_g, mean_p = _mean(g, radius), _mean(p, radius)
    variance = _mean(g * g, radius) - mean_g * mean_g
    slope = (_mean(g * p, radius) - mean_g * mean_p) / (variance + epsilon)
    offset = mean_p - slope * mean_g
    slope, offset = _mean(slope, radius), _mean(offset, radius)
    for top in range(0, full.shape[0], rows):
        strip = full[top : top + rows].to(maps)[None, None] / 255
        part = enlarged_rows(slope, top, strip.shape[2], full.shape) * strip
        part += enlarged_rows(offset, top, strip.shape[2], full.shape)
        yield top, part[0].clamp_(0, 1)


def enlarged_rows(maps: Tensor, top: int, count: int, size: tuple[int, ...]) -> Tensor:
    """Rows ``top`` to ``top + count`` of (1, K, h, w) enlarged bilinearly to ``size`` (H, W)."""
    height, width = maps.shape[2:]
    device = maps.device
    y = (torch.arange(top, top + count, device=device) + 0.5) * (height / size[0]) - 0.5
    y = y.clamp(0, height - 1)
    low = y.floor().long()
    high = (low + 1).clamp_max(height - 1)
    mix = (y - low).view(1, 1, -1, 1)
    tall = torch.lerp(maps[:, :, low], maps[:, :, high], mix)
    if width == size[1]:
        return tall
    return F.interpolate(tall, (count, size[1]), mode="bilinear", align_corners=False)
