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
    lines = _lines(maps, guide, radius, epsilon)
    for top in range(0, full.shape[0], rows):
        yield top, _on_lines(lines, full[top : top + rows], top, tuple(full.shape))


def _lines(maps: Tensor, guide: Tensor, radius: int, epsilon: float = 1e-4) -> Tensor:
    """Slope and offset (1, 2 K, h, w) of each map as a line over the guide."""
    count = len(maps)
    means = _window_means(torch.cat([guide, guide * guide, maps, guide * maps]), radius)
    mean_g, variance = means[:1], means[1:2] - means[:1] * means[:1]
    slope = (means[2 + count :] - mean_g * means[2 : 2 + count]) / (variance + epsilon)
    offset = means[2 : 2 + count] - slope * mean_g
    return _window_means(torch.cat([slope, offset]), radius).unsqueeze(0)


def _on_lines(lines: Tensor, gray: Tensor, top: int, size: tuple[int, ...]) -> Tensor:
    """Rows of the full size from ``top``, (K, n, W), by their brightness (n, W) as uint8."""
    strip = gray.to(lines) / 255
    slope, offset = enlarged_rows(lines, top, len(strip), size)[0].tensor_split(2)
    return torch.addcmul(offset, slope, strip).clamp_(0, 1)


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


class EnlargedRows:
    """`guided_distributions` for an image that is never in memory as a whole.

    Args:
        maps: (K, h, w), sum to 1.
        guide: (1, h, w), the small image's brightness in [0, 1].
        size: (H, W) of the full image.
        radius: of the filter's windows, in small pixels; 0 enlarges bilinearly.

    >>> maps, guide = torch.rand(3, 4, 5).softmax(0), torch.rand(1, 4, 5)
    >>> gray = torch.randint(0, 255, (8, 10), dtype=torch.uint8)
    >>> whole = torch.cat([strip for _, strip in guided_distributions(maps, guide, gray)], 1)
    >>> part = EnlargedRows(maps, guide, (8, 10)).rows(3, gray[3:6])
    >>> torch.allclose(part, whole[:, 3:6])
    True
    """

    def __init__(
        self, maps: Tensor, guide: Tensor, size: tuple[int, int], *, radius: int = 1
    ) -> None:
        self._maps, self._size, self._guided = maps, size, radius > 0
        self._guided = self._guided and tuple(maps.shape[1:]) != size
        if self._guided:
            self._lines = _lines(maps[1:] if len(maps) == 2 else maps, guide, radius)

    def rows(self, top: int, gray: Tensor) -> Tensor:
        """Rows from ``top`` (K, n, W), by their brightness (n, W) as uint8."""
        if not self._guided:
            return enlarged_rows(self._maps[None], top, len(gray), self._size)[0]
        strip = _on_lines(self._lines, gray, top, self._size)
        if len(self._maps) == 2:
            return torch.cat([1 - strip, strip])
        return strip.div_(strip.sum(0).clamp_min_(1e-6))


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
