"""What a network costs: parameters, multiply-adds, seconds for an image."""

import time
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn


@dataclass(frozen=True)
class Cost:
    """Cost of one forward pass in eval mode.

    Attributes:
        parameters: of the network.
        multiply_adds: of convolutions and matrix products; interpolation, normalisation and
            activations are not counted.
        seconds: median for one image.
    """

    parameters: int
    multiply_adds: int
    seconds: float


@torch.no_grad()
def measure_cost(
    net: nn.Module, size: tuple[int, int], *, channels: int = 3, repeats: int = 5
) -> Cost:
    """Count and time one image of `size` (height, width) on the network's device."""
    from torch.utils.flop_counter import FlopCounterMode

    parameter = next(net.parameters())
    image = torch.rand(1, channels, *size, device=parameter.device, dtype=parameter.dtype)
    counter = FlopCounterMode(display=False)
    with counter:
        net(image)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        net(image)
        if image.is_cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    parameters = sum(p.numel() for p in net.parameters())
    return Cost(parameters, counter.get_total_flops() // 2, median(times))
