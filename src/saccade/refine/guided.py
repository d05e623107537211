"""Enlarging maps so that they follow the edges of the full-size image, strip by strip."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F


def guided_strips(
    maps: Tensor,
    guide: Tensor,
    full: Tensor,
    *,
    radius: int = 1,
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
    count = len(maps)
    means = _window_means(torch.cat([guide, guide * guide, maps, guide * maps]), radius)
    mean_g, variance = means[:1], means[1:2] - means[:1] * means[:1]
    slope = (means[2 + count :] - mean_g * means[2 : 2 + count]) / (variance + epsilon)
    offset = means[2 : 2 + count] - slope * mean_g
    lines = _window_means(torch.cat([slope, offset]), radius).unsqueeze(0)
    for top in range(0, full.shape[0], rows):
        strip = full[top : top + rows].to(maps) / 255
        slope, offset = enlarged_rows(lines, top, len(strip), full.shape)[0].tensor_split(2)
        yield top, torch.addcmul(offset, slope, strip).clamp_(0, 1)


def guided_distributions(
    maps: Tensor, guide: Tensor, full: Tensor, *, radius: int = 1, rows: int = 256
) -> Iterator[tuple[int, Tensor]]:
    """`guided_strips` of maps that sum to 1, renormalised; of two classes one is computed."""
    if len(maps) == 2:
        for top, strip in guided_strips(maps[1:], guide, full, radius=radius, rows=rows):
            yield top, torch.cat([1 - strip, strip])
        return
    for top, strip in guided_strips(maps, guide, full, radius=radius, rows=rows):
        yield top, strip.div_(strip.sum(0).clamp_min_(1e-6))


def _window_means(maps: Tensor, radius: int) -> Tensor:
    """Means of ``maps`` (K, h, w) over square windows, of what lies inside the map.

    Down and across one after the other, as sums of shifted maps: a pooling layer reads each pixel
    81 times and on the CPU one by one.
    """
    for axis in (1, 2):
        size = maps.shape[axis]
        reach = min(radius, size - 1)
        total = maps.clone()
        for shift in range(1, reach + 1):
            total.narrow(axis, 0, size - shift).add_(maps.narrow(axis, shift, size - shift))
            total.narrow(axis, shift, size - shift).add_(maps.narrow(axis, 0, size - shift))
        place = torch.arange(size, device=maps.device)
        inside = (place + reach).clamp_max(size - 1) - (place - reach).clamp_min(0) + 1
        maps = total.div_(inside.view(-1, 1) if axis == 1 else inside)
    return maps


def enlarged_rows(maps: Tensor, top: int, count: int, size: tuple[int, ...]) -> Tensor:
    """Rows ``top`` to ``top + count`` of (1, K, h, w) enlarged bilinearly to ``size`` (H, W)."""
    height, width = maps.shape[2:]
    y = (torch.arange(top, top + count, device=maps.device) + 0.5) * (height / size[0]) - 0.5
    y = y.clamp(0, height - 1)
    low = y.floor().long()
    high = (low + 1).clamp_max(height - 1)
    mix = (y - low).view(-1, 1)
    # Across first, while there are few rows.
    first, last = int(low[0]), int(high[-1])
    wide = maps[0, :, first : last + 1]
    if width != size[1]:
        wide = F.interpolate(wide, size[1], mode="linear", align_corners=False)
    return torch.lerp(wide[:, low - first], wide[:, high - first], mix).unsqueeze(0)
