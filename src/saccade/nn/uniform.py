"""Convolution at uniform distances, the control of the GDC paper's table VII.

Deviation: distances are shares of the map's side from 0 to 1, as the paper gives no range. The
rest is `saccade.nn.random_offset`'s, so that only the distribution differs from
`GaussianDynamicConv2d`.
"""

from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.nn.random_offset import RandomOffsetConv2d, SamplingOptions
from saccade.ops import uniform_offsets


class UniformDynamicConv2d(RandomOffsetConv2d):
    """Convolution at uniform distances, stride 1, with new offsets at every call.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: odd or even, one number or (kh, kw).
        low: least distance as a share of the map's side.
        high: greatest distance as a share of the map's side.
        options: see `saccade.nn.random_offset.SamplingOptions`.

    Raises:
        InputError: low > high, unknown names, or channels that groups do not divide.

    Example:
        >>> layer = UniformDynamicConv2d(3, 8, low=0.0, high=0.5, seed=0)
        >>> layer(torch.rand(2, 3, 24, 32)).shape
        torch.Size([2, 8, 24, 32])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        low: float = 0.0,
        high: float = 1.0,
        **options: Unpack[SamplingOptions],
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, **options)
        if not low <= high:
            raise InputError(f"uniform offsets from {low!r} to {high!r}: low must not exceed high")
        self.low, self.high = low, high

    def _offsets(
        self, size: Sequence[int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        return uniform_offsets(size, self.low, self.high, generator=generator, device=device)

    def extra_repr(self) -> str:
        """The configuration in one line."""
        return f"{super().extra_repr()}, low={self.low}, high={self.high}"
