"""The sampled convolution written for reading: one tap after the other, one gather per corner.

It shares no code with the fast paths, is differentiable as often as wanted, and is what they
are tested against.
"""

import torch
from torch import Tensor


def sampled_conv2d_reference(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    positions: Tensor,
    interpolation: str = "nearest",
    border: str = "clamp",
    groups: int = 1,
    mask: Tensor | None = None,
) -> Tensor:
    """Slow oracle of `sampled_conv2d`: same arguments, shapes and result, no checks.

    >>> from saccade.ops import conv_positions
    >>> x, weight = torch.rand(1, 3, 4, 5), torch.rand(2, 3, 3, 3)
    >>> sampled_conv2d_reference(x, weight, positions=conv_positions((4, 5), 3, padding=1)).shape
    torch.Size([1, 2, 4, 5])
    """
    batch, channels = input.shape[:2]
    kernel_width = weight.shape[3]
    positions = positions.expand(batch, -1, -1, -1, -1)
    out_size = positions.shape[3:]
    result = input.new_zeros(batch, weight.shape[0], *out_size)
    for tap in range(positions.shape[1]):
        y, x = positions[:, tap, 0], positions[:, tap, 1]  # (B, Ho, Wo)
        if interpolation == "nearest":
            sampled = _read(input, _half_up(y), _half_up(x), border)
        else:
            sampled = _interpolate(input, y.to(_real(y)), x.to(_real(x)), border)
        if mask is not None:
            sampled = sampled * mask[:, tap].unsqueeze(1)
        kernel = weight[:, :, tap // kernel_width, tap % kernel_width]
        kernel = kernel.reshape(groups, weight.shape[0] // groups, channels // groups)
        grouped = sampled.reshape(batch, groups, channels // groups, *out_size)
        taps_sum = torch.einsum("bgc...,goc->bgo...", grouped, kernel.to(grouped.dtype))
        result = result + taps_sum.flatten(1, 2)
    result = result.to(input.dtype)
    return result if bias is None else result + bias.view(1, -1, 1, 1)


def _half_up(value: Tensor) -> Tensor:
    return torch.floor(value + 0.5).long() if value.is_floating_point() else value.long()


def _real(value: Tensor) -> torch.dtype:
    return value.dtype if value.is_floating_point() else torch.float32


def _read(input: Tensor, y: Tensor, x: Tensor, border: str) -> Tensor:
    """Pixels (B, C, Ho, Wo) at integer coordinates (B, Ho, Wo)."""
    height, width = input.shape[2:]
    sample = torch.arange(input.shape[0], device=input.device).view(-1, 1, 1)
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    pixels = input[sample, :, y, x].permute(0, 3, 1, 2)
    return pixels if border == "clamp" else pixels * inside.unsqueeze(1)


def _interpolate(input: Tensor, y: Tensor, x: Tensor, border: str) -> Tensor:
    if border == "clamp":
        y, x = y.clamp(0, input.shape[2] - 1), x.clamp(0, input.shape[3] - 1)
    top, left = y.detach().floor(), x.detach().floor()
    down, right = y - top, x - left
    total = torch.zeros((), dtype=input.dtype, device=input.device)
    for dy, share_y in ((0, 1 - down), (1, down)):
        for dx, share_x in ((0, 1 - right), (1, right)):
            pixels = _read(input, (top + dy).long(), (left + dx).long(), border)
            total = total + pixels * (share_y * share_x).unsqueeze(1)
    return total
