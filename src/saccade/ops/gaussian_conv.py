"""Gaussian dynamic convolution from a seed (GDC paper, eq. 1 and 3): positions and convolution.

The positions are a function of the seed alone, the same on every device and in every path: in
eager mode and in the fused kernel, which draws them itself and writes none. Up to the last bit:
libraries for CPUs may take square roots that miss the nearest float32 by one, and compilers may
contract multiplications and additions. Then one position in some hundred thousand is rounded to
the neighbouring pixel.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.ops.fused import fused_conv2d
from saccade.ops.fused.plan import Sampling
from saccade.ops.offsets import Granularity, offset_size
from saccade.ops.philox import check_seed, half_normals
from saccade.ops.positions import (
    Rounding,
    as_pair,
    grid_positions,
    round_positions,
    tap_directions,
)
from saccade.ops.sampled_conv.checks import Backend, Border, check_names
from saccade.ops.sampled_conv.function import check_and_cast, choose_path, sampled_conv2d


def gaussian_positions(
    size: Sequence[int],
    kernel_size: int | Sequence[int],
    sigma: float | tuple[float, float],
    *,
    seed: int | Tensor,
    granularity: Granularity = "location",
    rounding: Rounding = "nearest",
    device: torch.device | str | None = None,
) -> Tensor:
    """Positions at half-Gaussian distances from the centres, drawn from a counter.

    The offsets of tap t at the location (y, x) are the two half-normal numbers of `ops.philox` at
    the counter (y * W + x, t), the first along y. "tap" draws at (0, t), "layer" at (0, 0).
    On a CPU drawing takes longer than the convolution (docs/reference/sampled-convolution.md);
    where the device does not matter, `half_gaussian_offsets` is faster.

    Args:
        size: (H, W) of the map, H * W < 2**31.
        kernel_size: (kh, kw) or one number; T = kh * kw taps.
        sigma: standard deviation in pixels, one number or (y, x), >= 0.
        seed: 64 bits, as a number or as () int64.
        granularity: one offset per "location" (and tap and axis), "tap" (and axis), or "layer".
        rounding: "nearest", "floor" or "none".
        device: where the positions are made, by default that of the seed, or the CPU.

    Returns:
        (1, T, 2, H, W) float32, absolute (y, x).

    Raises:
        InputError: a sigma that is negative or not finite, a wrong seed, unknown names.

    >>> gaussian_positions((8, 9), 3, 2.0, seed=0).shape
    torch.Size([1, 9, 2, 8, 9])
    """
    height, width = as_pair(size, "size")
    if device is None and isinstance(seed, Tensor):
        device = seed.device
    target = torch.device(device or "cpu")
    reach = _sigma_pair(sigma)
    directions = tap_directions(kernel_size, device=target)
    taps, _, rows, columns = offset_size(granularity, len(directions), (height, width))
    pixel = torch.arange(rows * columns, device=target).view(1, rows, columns)
    tap = torch.arange(taps, device=target).view(-1, 1, 1)
    counter = (pixel.expand(taps, rows, columns), tap.expand(taps, rows, columns))
    halves = half_normals(check_seed(seed, target), counter)
    centres = grid_positions((height, width), directions[:1], 0.0)  # (1, 1, 2, H, W)
    axes = [
        centres[0, :, axis] + (halves[axis] * reach[axis]) * directions[:, axis].view(-1, 1, 1)
        for axis in (0, 1)
    ]
    return round_positions(torch.stack(axes, dim=1).unsqueeze(0), rounding)


def gaussian_conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    sigma: float | tuple[float, float],
    seed: int | Tensor,
    granularity: Granularity = "location",
    rounding: Rounding = "nearest",
    border: Border = "clamp",
    groups: int = 1,
    backend: Backend = "auto",
) -> Tensor:
    """Convolution of stride 1 at the `gaussian_positions` of a seed.

    Equals `sampled_conv2d(input, weight, bias, positions=gaussian_positions(...))`, bilinear for
    the rounding "none". The fused kernel draws the positions where it needs them, and again for
    the gradient.

    Args:
        input: (B, Cin, H, W); the batch shares the positions.
        weight: (Cout, Cin / groups, kh, kw).
        bias: (Cout,) or None.
        sigma: standard deviation in pixels, one number or (y, x), >= 0.
        seed: 64 bits; a tensor () int64 on the device of the input costs no synchronisation,
            and a compiled graph takes a new one at every call.
        granularity: one offset per "location" (and tap and axis), "tap" (and axis), or "layer".
        rounding: "nearest", "floor", or "none" for bilinear sampling.
        border: "clamp" or "zero".
        groups: groups of channels.
        backend: as in `sampled_conv2d`.

    Returns:
        (B, Cout, H, W), channels-last where the input is.

    Raises:
        InputError: shapes, dtypes, numbers or names that do not fit.

    >>> x, weight = torch.rand(1, 3, 8, 9), torch.rand(4, 3, 3, 3)
    >>> y = gaussian_conv2d(x, weight, sigma=2.0, seed=0)
    >>> y.shape, torch.equal(y, gaussian_conv2d(x, weight, sigma=2.0, seed=0))
    (torch.Size([1, 4, 8, 9]), True)
    """
    check_names(border=border, backend=backend, granularity=granularity, rounding=rounding)
    input, weight, bias = check_and_cast(input, weight, bias, groups)
    reach = _sigma_pair(sigma)
    if choose_path(backend, input, groups) == "fused":
        sampling = Sampling(
            bilinear=rounding == "none",
            zero=border == "zero",
            groups=groups,
            sigma_y=reach[0],
            sigma_x=reach[1],
            granularity=granularity,
            floor=rounding == "floor",
        )
        key = check_seed(seed, input.device)
        fused: Tensor = fused_conv2d(input, weight, bias, None, None, key, *sampling)
        return fused
    positions = gaussian_positions(
        input.shape[2:],
        weight.shape[2:],
        reach,
        seed=seed,
        granularity=granularity,
        rounding=rounding,
        device=input.device,
    )
    return sampled_conv2d(
        input,
        weight,
        bias,
        positions=positions,
        interpolation="bilinear" if rounding == "none" else "nearest",
        border=border,
        groups=groups,
        backend=backend,
    )


def _sigma_pair(sigma: float | tuple[float, float]) -> tuple[float, float]:
    pair = (sigma, sigma) if isinstance(sigma, (int, float)) else tuple(sigma)
    if len(pair) != 2 or not all(value >= 0 and math.isfinite(value) for value in pair):
        raise InputError(f"sigma is {sigma!r}, must be a finite number >= 0, or two (y, x)")
    return float(pair[0]), float(pair[1])
