"""What the tests of the layers share."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from saccade.nn import GaussianDynamicConv2d, UniformDynamicConv2d
from saccade.ops import conv_positions

LAYERS = [GaussianDynamicConv2d, UniformDynamicConv2d]


Layer = Callable[..., nn.Module]


def image(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def displacement(layer: nn.Module, size: tuple[int, int]) -> Tensor:
    """Positions minus centres, (T, 2, H, W)."""
    centres = conv_positions(size, 1)
    return (layer.draw(size) - centres)[0]
