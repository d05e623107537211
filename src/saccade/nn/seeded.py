"""What the convolutions with random offsets share: parameters and generators of their own."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from saccade.errors import InputError
from saccade.ops.positions import as_pair

# Keeps the stream of the initial weights apart from that of the offsets.
_WEIGHT_STREAM = 0x5ACCADE


class SeededConv2d(nn.Module):
    """Weight and bias of a convolution, and a generator per device, all from one seed.

    The global generators are neither read nor written.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: one number or (kh, kw).
        groups: groups of channels.
        bias: whether to learn one.
        seed: of weights and offsets; None takes entropy from the system.

    Raises:
        InputError: a kernel without taps, or channels that groups do not divide.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        groups: int,
        bias: bool,
        seed: int | None,
    ) -> None:
        super().__init__()
        channels = (in_channels, out_channels)
        if groups < 1 or any(count < 1 or count % groups for count in channels):
            raise InputError(
                f"{in_channels} and {out_channels} channels in {groups} groups: "
                "both must be positive multiples of groups"
            )
        self.kernel_size = as_pair(kernel_size, "kernel_size")
        if min(self.kernel_size) < 1:
            raise InputError(f"kernel_size is {kernel_size!r}, must be positive")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.seed = seed
        self._generators: dict[str, torch.Generator] = {}
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the weights anew as `torch.nn.Conv2d` does, from the seed of the layer."""
        generator = torch.Generator()
        if self.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.seed ^ _WEIGHT_STREAM)
        bound = 1 / math.sqrt(self.weight[0].numel())
        with torch.no_grad():
            for parameter in (self.weight, self.bias):
                if parameter is not None:
                    drawn = torch.rand(parameter.shape, generator=generator, device="cpu")
                    parameter.copy_(drawn * (2 * bound) - bound)

    def reseed(self, seed: int | None) -> None:
        """Starts the stream of offsets again; None takes entropy from the system."""
        self.seed = seed
        self._generators = {}

    def _generator(self, device: torch.device) -> torch.Generator:
        generator = self._generators.get(str(device))
        if generator is None:
            generator = torch.Generator(device=device)
            if self.seed is None:
                generator.seed()
            else:
                generator.manual_seed(self.seed)
            self._generators[str(device)] = generator
        return generator

    def __getstate__(self) -> dict[str, Any]:
        # A copy starts again from its seed. With the state copied too, the clones of a layer
        # without a seed would draw the same offsets for ever.
        return {**self.__dict__, "_generators": {}}

    def extra_repr(self) -> str:
        """The configuration in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"groups={self.groups}, bias={self.bias is not None}, seed={self.seed}"
        )
