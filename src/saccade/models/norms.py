"""The normalisations of the light network, and what they amount to per channel."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from saccade.errors import InputError


class _GroupNorm(nn.GroupNorm):
    """Group normalisation that takes maps of a single pixel too."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


def build_norm(norm: str, channels: int) -> nn.Module:
    """Normalisation and ReLU: "none" (neither), "batch" or "group".

    Raises:
        InputError: another name.
    """
    if norm == "none":
        return nn.Identity()
    if norm == "batch":
        # Statistics of each image: it is the only one that its network ever sees.
        return nn.Sequential(_GroupNorm(channels, channels), nn.ReLU())
    if norm == "group":
        return nn.Sequential(_GroupNorm(math.gcd(4, channels), channels), nn.ReLU())
    raise InputError(f"norm {norm!r} is unknown, use none, batch or group")


def affine(
    norm: nn.Module, mean: Tensor, variance: Tensor, channels: slice = slice(None)
) -> tuple[Tensor, Tensor]:
    """Scale and shift that a normalisation before its ReLU amounts to.

    Args:
        norm: of `build_norm`, not "none".
        mean: (C,) of each channel over the map.
        variance: (C,), not corrected.
        channels: which of the layer's channels these are, whole groups of them.

    Returns:
        Scale (C,) and shift (C,), differentiable in the moments and the layer's parameters.
    """
    assert isinstance(norm, nn.Sequential)
    layer = norm[0]
    assert isinstance(layer, nn.GroupNorm)
    size = layer.num_channels // layer.num_groups
    if size > 1:
        means = mean.view(-1, size)
        of_group = means.mean(1, keepdim=True)
        spread = variance.view(-1, size) + (means - of_group).square()
        mean = of_group.expand_as(means).flatten()
        variance = spread.mean(1, keepdim=True).expand_as(means).flatten()
    scale = layer.weight[channels] * torch.rsqrt(variance + layer.eps)
    return scale, layer.bias[channels] - mean * scale
