"""One GEMM for many draws: multiply every pixel by every tap first, pick and sum afterwards.

Prediction averages 12 to 50 draws over the same features (GDC paper, section V), and the
products do not depend on the positions. At 32 -> 32 channels, 160 x 240, one CPU thread, the
products take 25 ms once and each draw a few milliseconds, against 11 ms for each draw on its own.
"""

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from saccade.ops.sampled_conv.checks import (
    Border,
    Interpolation,
    check_input,
    check_names,
    check_positions,
    check_weight,
)
from saccade.ops.sampled_conv.taps import gather_plan


def tap_products(input: Tensor, weight: Tensor, *, groups: int = 1) -> Tensor:
    """Products of every pixel with every tap of a kernel.

    Args:
        input: (B, Cin, H, W).
        weight: (Cout, Cin / groups, kh, kw), T = kh * kw.
        groups: groups of channels.

    Returns:
        (B, H, W, T, Cout); T * Cout / Cin times the memory of the input.

    Raises:
        InputError: the channels do not fit.

    >>> tap_products(torch.rand(1, 3, 4, 5), torch.rand(2, 3, 3, 3)).shape
    torch.Size([1, 4, 5, 9, 2])
    """
    check_input(input)
    check_weight(weight, input.shape[1], groups)
    batch, _, height, width = input.shape
    cout, per_group, kh, kw = weight.shape
    pixels, taps = batch * height * width, kh * kw
    rows = input.permute(0, 2, 3, 1).reshape(pixels, groups, per_group).transpose(0, 1)
    kernel = weight.reshape(groups, cout // groups, per_group, taps)
    matrix = kernel.permute(0, 2, 3, 1).flatten(2)
    if groups == 1:
        products = rows[0] @ matrix[0]
    else:
        grouped = torch.bmm(rows, matrix).view(groups, pixels, taps, cout // groups)
        products = grouped.permute(1, 2, 0, 3).reshape(pixels, taps * cout)
    return products.view(batch, height, width, taps, cout)


def sampled_sum(
    products: Tensor,
    bias: Tensor | None = None,
    *,
    positions: Tensor,
    interpolation: Interpolation = "nearest",
    border: Border = "clamp",
) -> Tensor:
    """Sum of tap products at the sampled positions.

    `sampled_sum(tap_products(input, weight), bias, positions=p)` is
    `sampled_conv2d(input, weight, bias, positions=p)` up to rounding.

    Args:
        products: (B, H, W, T, Cout) of `tap_products`.
        bias: (Cout,) or None.
        positions: (B or 1, T, 2, Ho, Wo) as in `sampled_conv2d`.
        interpolation: "nearest" or "bilinear".
        border: "clamp" or "zero".

    Returns:
        (B, Cout, Ho, Wo), channels-last in memory.

    Raises:
        InputError: positions do not fit the products.

    >>> from saccade.ops import conv_positions
    >>> x, weight = torch.rand(1, 3, 4, 5), torch.rand(2, 3, 3, 3)
    >>> products = tap_products(x, weight)
    >>> sampled_sum(products, positions=conv_positions((4, 5), 3, padding=1)).shape
    torch.Size([1, 2, 4, 5])
    """
    batch, height, width, taps, cout = products.shape
    check_names(interpolation=interpolation, border=border)
    check_positions(positions, taps, batch)
    indices, scales = gather_plan(
        positions, (height, width), interpolation=interpolation, border=border
    )
    tap = torch.arange(taps, device=indices.device).view(1, 1, -1, 1)
    bags = (indices * taps + tap).flatten(2)  # (B or 1, P, T * K)
    weights = None if scales is None else scales.flatten(2).to(products.dtype)
    table = products.view(batch, height * width * taps, cout)
    sums = [
        embedding_bag(
            bags[b % len(bags)],
            table[b],
            mode="sum",
            per_sample_weights=None if weights is None else weights[b % len(weights)],
        )
        for b in range(batch)
    ]
    out = torch.stack(sums) if batch else products.new_empty(0, bags.shape[1], cout)
    if bias is not None:
        out = out + bias
    return out.view(batch, *positions.shape[3:], cout).permute(0, 3, 1, 2)
