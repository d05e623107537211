"""Random offsets that share the work: several draws of one convolution, spread evenly.

A prediction averages many draws (GDC paper, section V-A). Independent draws leave gaps and pile up
by chance. Here the draws of one tap at one location are the points of a two-dimensional lattice,
shifted at random and taken in random order: each draw by itself is distributed as an independent
one, so the average is unbiased, but together they cover both axes. Taps and locations remain
independent of each other. It is Latin hypercube sampling with the two axes of a tap as one
variable, and a shifted lattice (Cranley and Patterson, 1976) in place of its strata.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from saccade.errors import InputError


def lattice_factor(count: int) -> int:
    """The least g, coprime to n, for which (i / n, i * g / n mod 1), i < n, lie farthest apart.

    Distances are on the torus.

    Raises:
        InputError: fewer than one point.
    """
    if count < 1:
        raise InputError(f"a lattice of {count} points: there must be at least one")
    coprime = [g for g in range(1, count // 2 + 1) if math.gcd(g, count) == 1]
    return max(coprime, key=lambda g: _least_square(count, g), default=1)


def _least_square(count: int, factor: int) -> int:
    """Square of the least distance in the lattice of (1, g) and (0, n): Gauss's reduction."""
    short, long = (1, factor), (0, count)
    while True:
        square = short[0] ** 2 + short[1] ** 2
        times = round((short[0] * long[0] + short[1] * long[1]) / square)
        rest = (long[0] - times * short[0], long[1] - times * short[1])
        if rest[0] ** 2 + rest[1] ** 2 >= square:
            return square
        short, long = rest, short


def lattice_uniforms(
    count: int,
    sequences: int,
    *,
    generator: torch.Generator,
    device: torch.device | str | None = None,
) -> Tensor:
    """Sequences of ``count`` points in the unit square, each evenly spread.

    Args:
        count: n, points of a sequence.
        sequences: R, how many, independent of each other.
        generator: source of the shifts and orders; they are made on its device.
        device: where the result goes, by default the generator's.

    Returns:
        (n, R, 2) float32 in [0, 1). Each point by itself is uniform.

    Raises:
        InputError: fewer than one point.
    """
    factor = lattice_factor(count)
    source = generator.device
    order = torch.rand((count, sequences), generator=generator, device=source).argsort(0)
    shift = torch.rand((sequences, 2), generator=generator, device=source)
    points = torch.stack([order, order * factor % count], 2) / count + shift
    return points.frac_().to(device or source)


def half_gaussian_quantiles(uniforms: Tensor, sigma: float) -> Tensor:
    """|N(0, sigma)| (GDC paper, equation 3) from uniform numbers in [0, 1), any shape."""
    if not (sigma >= 0 and math.isfinite(sigma)):
        raise InputError(f"sigma is {sigma!r}, must be a finite number >= 0")
    return torch.erfinv(uniforms).mul_(sigma * math.sqrt(2))
