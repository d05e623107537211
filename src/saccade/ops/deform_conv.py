"""Deformable convolution (Dai et al. 2017; DCNv2 with a mask) on the sampled convolution.

GDC paper, eq. 7: the offsets are absolute displacements of the regular grid, predicted from
features, and sampling is bilinear.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.ops.positions import conv_positions
from saccade.ops.sampled_conv import Border, sampled_conv2d


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    mask: Tensor | None = None,
    border: Border = "zero",
) -> Tensor:
    """Convolution on a regular grid displaced by `offset`.

    Equals `torchvision.ops.deform_conv2d` with one offset group and the default border, and
    keeps bf16 and channels-last, which that one does not.

    Args:
        input: (B, Cin, H, W).
        offset: (B, 2 * T, Ho, Wo) in pixels, channels (y, x) of tap 0, (y, x) of tap 1, ...
        weight: (Cout, Cin / groups, kh, kw), T = kh * kw.
        bias: (Cout,) or None.
        stride: of the regular grid, as in conv2d.
        padding: as in conv2d.
        dilation: as in conv2d.
        groups: groups of channels.
        mask: (B, T, Ho, Wo) factors of the taps, or None.
        border: "zero" or "clamp".

    Returns:
        (B, Cout, Ho, Wo).

    Raises:
        InputError: shapes that do not fit each other.

    >>> x, weight = torch.rand(1, 3, 8, 9), torch.rand(4, 3, 3, 3)
    >>> offset = torch.zeros(1, 18, 8, 9)
    >>> deform_conv2d(x, offset, weight, padding=1).shape
    torch.Size([1, 4, 8, 9])
    """
    # Coordinates need more than the 8 bits of bf16, whatever the offsets were predicted in.
    precise = torch.promote_types(offset.dtype, torch.float32)
    grid = conv_positions(
        input.shape[2:],
        weight.shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        device=input.device,
        dtype=precise,
    )
    expected = (input.shape[0], 2 * grid.shape[1], *grid.shape[3:])
    if offset.shape != expected:
        raise InputError(f"offset is {tuple(offset.shape)}, must be {expected}")
    positions = grid + offset.to(precise).reshape(input.shape[0], *grid.shape[1:])
    return sampled_conv2d(
        input,
        weight,
        bias,
        positions=positions,
        interpolation="bilinear",
        border=border,
        groups=groups,
        mask=mask,
    )
