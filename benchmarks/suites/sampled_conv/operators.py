"""The operators that are measured, on the same input and weight."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import deform_conv2d as torchvision_deform_conv2d

from saccade.nn import GaussianDynamicConv2d
from saccade.ops import deform_conv2d, gaussian_conv2d, sampled_conv2d

CONV, DEFORM = "conv2d", "deform_conv2d (torchvision)"
SIGMA = 0.2  # share of the shorter side, the paper's


@dataclass(frozen=True)
class Setting:
    """Where and on what the operators run: (batch, channels, height, width) to as many channels."""

    device: str
    dtype: torch.dtype
    layout: torch.memory_format
    shape: tuple[int, int, int, int]


@dataclass(frozen=True)
class Operator:
    """A convolution ready to run, and the tensors whose gradients are asked for."""

    name: str
    call: Callable[[], Tensor]
    leaves: tuple[Tensor, ...]


def settings(device: str, shape: tuple[int, int, int], cuda_batch: int) -> list[Setting]:
    """float32 on a CPU; three dtypes in two layouts on CUDA."""
    if device == "cpu":
        return [Setting("cpu", torch.float32, torch.contiguous_format, (1, *shape))]
    return [
        Setting(device, dtype, layout, (cuda_batch, *shape))
        for dtype in (torch.float32, torch.float16, torch.bfloat16)
        for layout in (torch.channels_last, torch.contiguous_format)
    ]


def operators(setting: Setting) -> list[Operator]:
    """All operators on the same input and weight, 3x3 taps."""
    device, dtype = setting.device, setting.dtype
    batch, channels, height, width = setting.shape
    generator = torch.Generator().manual_seed(0)

    def made(*size: int, scale: float = 1.0, kind: torch.dtype = dtype) -> Tensor:
        drawn = torch.randn(size, generator=generator) * scale
        return drawn.to(device, kind).requires_grad_()

    x = made(*setting.shape).detach().contiguous(memory_format=setting.layout).requires_grad_()
    layer = GaussianDynamicConv2d(channels, channels, 3, SIGMA, seed=0).to(device, dtype)
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    offset = made(batch, 18, height, width, scale=2.0)
    positions = layer.draw((height, width))
    sigma = SIGMA * min(height, width)
    seed = torch.tensor(0, device=device)
    leaves = (x, weight, bias)

    def gdc(backend: Any) -> Callable[[], Tensor]:
        return lambda: sampled_conv2d(x, weight, bias, positions=positions, backend=backend)

    found = [
        Operator(CONV, lambda: functional.conv2d(x, weight, bias, padding=1), leaves),
        Operator("GDC, given positions", gdc("auto"), leaves),
        Operator("GDC, drawing", lambda: layer(x), leaves),
        Operator(
            "GDC, from a seed",
            lambda: gaussian_conv2d(x, weight, bias, sigma=sigma, seed=seed),
            leaves,
        ),
        Operator(
            "deformable",
            lambda: deform_conv2d(x, offset, weight, bias, padding=1),
            (*leaves, offset),
        ),
        Operator(
            DEFORM,
            lambda: torchvision_deform_conv2d(x, offset, weight, bias, padding=1),
            (*leaves, offset),
        ),
    ]
    if device == "cuda":
        found.insert(2, Operator("GDC, given positions, plain PyTorch", gdc("chunked"), leaves))
    return found
