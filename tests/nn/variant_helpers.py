"""What the tests of the variant share."""

import torch
from torch import Tensor
from torch.nn import functional

from saccade.nn import VariantGaussianDynamicConv2d


def dilated(layer: VariantGaussianDynamicConv2d, x: Tensor, dilation: tuple[int, int]) -> Tensor:
    """A 3x3 convolution of PyTorch with the weights of the layer."""
    return functional.conv2d(
        x, layer.weight, layer.bias, layer.stride, dilation, dilation, layer.groups
    )


def draws(layer: VariantGaussianDynamicConv2d, count: int = 2000) -> Tensor:
    """(count, 2) dilations (y, x)."""
    return torch.tensor([layer.draw() for _ in range(count)]).double()
