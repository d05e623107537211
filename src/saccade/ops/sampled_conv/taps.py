"""From sampling coordinates to row indices and weights, the form both fast paths work on.

Every tap of every output location reads K pixels of the map: one for nearest sampling, the four
corners of the cell for bilinear. All that depends on borders and interpolation is settled here,
in plain differentiable PyTorch, so that the convolution below only gathers, scales and sums.
"""

import torch
from torch import Tensor


def gather_plan(
    positions: Tensor,
    size: tuple[int, int],
    *,
    interpolation: str,
    border: str,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Lists the pixels that every tap reads, and how much of each.

    Args:
        positions: (B or 1, T, 2, Ho, Wo) absolute (y, x) in pixels, floating or integer.
        size: (H, W) of the sampled map.
        interpolation: "nearest" or "bilinear".
        border: "clamp" or "zero".
        mask: (B or 1, T, Ho, Wo) factors of the taps, or None.

    Returns:
        Indices (B or 1, P, T, K) int64 into the H * W rows of the map with P = Ho * Wo, always
        inside the map even for NaN, and scales (B or 1, P, T, K) or None where all are 1. The
        scales carry the gradient to `positions` (bilinear) and `mask`.
    """
    if interpolation == "bilinear" and not positions.is_floating_point():
        positions = positions.to(torch.float32)
    y, x = positions.flatten(3).unbind(2)  # each (B or 1, T, P)
    corners = _nearest if interpolation == "nearest" else _bilinear
    indices, scales = corners(y, x, size, border)
    if mask is not None:
        factor = mask.flatten(2).transpose(1, 2).unsqueeze(-1)  # (B or 1, P, T, 1)
        # For nearest sampling the product only adds zeros for taps outside the map.
        scales = factor if scales is None else scales * factor
    return indices, scales


def _nearest(
    y: Tensor, x: Tensor, size: tuple[int, int], border: str
) -> tuple[Tensor, Tensor | None]:
    # floor(v + 0.5) and not torch.round: rounding halves to even would shift the sampled grid
    # by different amounts at even and odd pixels.
    if y.is_floating_point():
        y, x = (y.detach() + 0.5).floor_(), (x.detach() + 0.5).floor_()
    indices = (_inside(y, size[0]) * size[1] + _inside(x, size[1])).transpose(1, 2)
    if border == "clamp":
        return indices.contiguous().unsqueeze(-1), None
    kept = (y >= 0) & (y <= size[0] - 1) & (x >= 0) & (x <= size[1] - 1)
    dtype = y.dtype if y.is_floating_point() else torch.float32
    return indices.contiguous().unsqueeze(-1), kept.transpose(1, 2).to(dtype).unsqueeze(-1)


def _bilinear(y: Tensor, x: Tensor, size: tuple[int, int], border: str) -> tuple[Tensor, Tensor]:
    if border == "clamp":
        y, x = y.clamp(0, size[0] - 1), x.clamp(0, size[1] - 1)
    rows = _axis_corners(y, size[0], border)
    columns = _axis_corners(x, size[1], border)
    indices = torch.stack([i * size[1] + j for i, _ in rows for j, _ in columns], dim=-1)
    scales = torch.stack([v * w for _, v in rows for _, w in columns], dim=-1)
    return indices.transpose(1, 2).contiguous(), scales.transpose(1, 2).contiguous()


def _axis_corners(value: Tensor, size: int, border: str) -> list[tuple[Tensor, Tensor]]:
    """The two neighbours of a coordinate on one axis, as (index, share)."""
    low = value.detach().floor()
    share = value - low
    corners = [(low, 1 - share), (low + 1, share)]
    if border == "zero":
        corners = [(at, torch.where((at >= 0) & (at <= size - 1), part, 0)) for at, part in corners]
    return [(_inside(at, size), part) for at, part in corners]


def _inside(value: Tensor, size: int) -> Tensor:
    """Coordinates (rounded already) as indices 0 .. size - 1."""
    # The second clamp is for NaN, which the first one keeps and which becomes an arbitrary
    # integer: an index out of range would be an abort on a GPU.
    return value.clamp(0, size - 1).to(torch.int64).clamp_(0, size - 1)
