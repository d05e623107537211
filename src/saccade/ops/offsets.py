"""Random distances between a tap and the centre: the offsets of eq. 1 of the GDC paper.

These samplers know nothing of maps or kernels; all randomness comes from the generator of the
caller.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from saccade.errors import InputError

Granularity = Literal["location", "tap", "layer"]


def half_gaussian_offsets(
    size: Sequence[int],
    sigma: float,
    *,
    generator: torch.Generator,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """|N(0, sigma)| (eq. 3), in the unit of sigma; mean sigma * sqrt(2 / pi).

    Args:
        size: shape of the result.
        sigma: standard deviation of the underlying normal, >= 0.
        generator: source of the draws; they are made on its device.
        device: where the result goes, by default the generator's.
        dtype: floating dtype of the result.

    >>> half_gaussian_offsets((2, 3), 4.0, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """
    _check_sigma(sigma)
    drawn = torch.randn(tuple(size), generator=generator, device=generator.device, dtype=dtype)
    return drawn.abs_().mul_(sigma).to(device or generator.device)


def truncated_gaussian_offsets(
    size: Sequence[int],
    sigma: float,
    *,
    bound: float = 2.0,
    generator: torch.Generator,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """N(0, sigma) within +-bound * sigma, two-sided, as the GDC authors' pyramid code draws.

    Args:
        size: shape of the result.
        sigma: standard deviation before the truncation, >= 0.
        bound: truncation in standard deviations, > 0.
        generator: source of the draws; they are made on its device.
        device: where the result goes, by default the generator's.
        dtype: floating dtype of the result.

    >>> generator = torch.Generator().manual_seed(0)
    >>> truncated_gaussian_offsets((100,), 2.0, generator=generator).abs().max() <= 4.0
    tensor(True)
    """
    _check_sigma(sigma)
    if not bound > 0:
        raise InputError(f"bound is {bound!r}, must be positive")
    edge = math.erf(bound / math.sqrt(2))
    drawn = uniform_offsets(size, -edge, edge, generator=generator, device=device, dtype=dtype)
    limit = bound * sigma  # erfinv may exceed it by rounding
    return drawn.erfinv_().mul_(sigma * math.sqrt(2)).clamp_(-limit, limit)


def uniform_offsets(
    size: Sequence[int],
    low: float = 0.0,
    high: float = 1.0,
    *,
    generator: torch.Generator,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """U(low, high), the control of the GDC paper's table VII.

    Args:
        size: shape of the result.
        low: lower end.
        high: upper end, >= low.
        generator: source of the draws; they are made on its device.
        device: where the result goes, by default the generator's.
        dtype: floating dtype of the result.

    >>> uniform_offsets((2, 3), generator=torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """
    if not low <= high:
        raise InputError(f"uniform offsets from {low!r} to {high!r}: low must not exceed high")
    drawn = torch.rand(tuple(size), generator=generator, device=generator.device, dtype=dtype)
    return drawn.mul_(high - low).add_(low).to(device or generator.device)


def offset_size(
    granularity: Granularity, taps: int, output_size: Sequence[int]
) -> tuple[int, int, int, int]:
    """Shape of the offsets to draw; it broadcasts to (T, 2, Ho, Wo).

    "location" draws for every location, tap and axis, "tap" for every tap and axis, "layer" one
    (dy, dx) for all.

    >>> offset_size("location", 9, (4, 5)), offset_size("layer", 9, (4, 5))
    ((9, 2, 4, 5), (1, 2, 1, 1))
    """
    sizes = {
        "location": (taps, 2, *output_size),
        "tap": (taps, 2, 1, 1),
        "layer": (1, 2, 1, 1),
    }
    if granularity not in sizes:
        raise InputError(f"granularity is {granularity!r}, must be one of {', '.join(sizes)}")
    tap_count, axes, height, width = sizes[granularity]
    return tap_count, axes, height, width


def _check_sigma(sigma: float) -> None:
    if not (sigma >= 0 and math.isfinite(sigma)):
        raise InputError(f"sigma is {sigma!r}, must be a finite number >= 0")
