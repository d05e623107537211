"""Gaussian dynamic convolution (GDC paper, section III, eq. 1 to 3).

A convolution whose taps keep their direction and take a new half-Gaussian distance at every call,
in training and in evaluation alike: the paper averages 50 draws of a trained network.

Deviations: those of `saccade.nn.random_offset`.

A CPU generator draws the offsets themselves, whatever the device of the map. A CUDA generator
draws a seed, from which the fused kernel makes the positions (`ops.gaussian_conv2d`), and so does
`draw`. Hand in `seed` for the same positions on every device.
"""

import math
from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.nn.random_offset import RandomOffsetConv2d, SamplingOptions
from saccade.ops import gaussian_conv2d, gaussian_positions, half_gaussian_offsets, map_scale


class GaussianDynamicConv2d(RandomOffsetConv2d):
    """Convolution at half-Gaussian distances (GDC paper, eq. 1 and 3), stride 1.

    The offsets are new at every call, in training and in evaluation. With a seed, weights and
    offsets depend on the seed alone, so give the layers of a network different ones; copies and
    loaded layers start their stream again. For an exact resume hand in a generator whose state
    you keep.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: odd or even, one number or (kh, kw).
        sigma: standard deviation as a share of the map's side; 0 samples only the centre.
        options: see `saccade.nn.random_offset.SamplingOptions`.

    Raises:
        InputError: sigma < 0, unknown names, or channels that groups do not divide.

    Example:
        >>> layer = GaussianDynamicConv2d(3, 8, sigma=0.2, seed=0)
        >>> x = torch.rand(1, 3, 24, 32)
        >>> layer(x).shape
        torch.Size([1, 8, 24, 32])
        >>> positions = layer.draw(x)  # keep a draw to sample there again
        >>> positions.shape
        torch.Size([1, 9, 2, 24, 32])
        >>> torch.equal(layer(x, positions=positions), layer(x, positions=positions))
        True
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        sigma: float = 0.2,
        **options: Unpack[SamplingOptions],
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, **options)
        if not (sigma >= 0 and math.isfinite(sigma)):
            raise InputError(f"sigma is {sigma!r}, must be a finite number >= 0")
        self.sigma = sigma

    def draw(
        self,
        x_or_size: Tensor | Sequence[int],
        generator: torch.Generator | None = None,
        *,
        seed: int | Tensor | None = None,
    ) -> Tensor:
        """Draws sampling positions.

        Args:
            x_or_size: the map (B, Cin, H, W) to be sampled, or its size (H, W).
            generator: source of the offsets, by default the layer's own.
            seed: instead of a generator, see `ops.gaussian_positions`.

        Returns:
            (1, T, 2, H, W) absolute (y, x), shared by the batch, on whole pixels unless the
            layer's rounding is "none". On the device of the map or of the weight.
        """
        place = x_or_size if isinstance(x_or_size, Tensor) else self.weight
        size = x_or_size.shape[-2:] if isinstance(x_or_size, Tensor) else x_or_size
        seed = self._seed(place.device, generator) if seed is None else seed
        if seed is None:
            return super().draw(x_or_size, generator)
        return gaussian_positions(
            size,
            self.kernel_size,
            self._reach(size),
            seed=seed,
            granularity=self.granularity,
            rounding=self.rounding,
            device=place.device,
        )

    def forward(
        self,
        x: Tensor,
        *,
        generator: torch.Generator | None = None,
        positions: Tensor | None = None,
        seed: int | Tensor | None = None,
    ) -> Tensor:
        """Convolves at new random positions.

        Args:
            x: (B, Cin, H, W).
            generator: source of the offsets, by default the layer's own.
            positions: (B or 1, T, 2, Ho, Wo) to use instead of a draw: a draw made before, a
                fixed grid, or few locations (Ho = P, Wo = 1).
            seed: instead of a generator, see `ops.gaussian_conv2d`. `torch.compile(
                fullgraph=True)` needs it or positions: a generator cannot enter a graph.

        Returns:
            (B, Cout, H, W), or (B, Cout, Ho, Wo) for given positions.
        """
        if positions is None and seed is None:
            seed = self._seed(x.device, generator)
        if positions is not None or seed is None:
            return super().forward(x, generator=generator, positions=positions)
        return gaussian_conv2d(
            x,
            self.weight,
            self.bias,
            sigma=self._reach(x.shape[-2:]),
            seed=seed,
            granularity=self.granularity,
            rounding=self.rounding,
            border=self.border,
            groups=self.groups,
        )

    def _seed(self, device: torch.device, generator: torch.Generator | None) -> Tensor | None:
        """A seed from a CUDA generator, without waiting for the device; None from a CPU one."""
        generator = generator if generator is not None else self._generator(device)
        if generator.device.type != "cuda":
            return None
        return torch.randint(
            2**63 - 1, (), generator=generator, device=generator.device, dtype=torch.int64
        )

    def _reach(self, size: Sequence[int]) -> tuple[float, float]:
        factors = map_scale(size, self.scale)
        return self.sigma * factors[0], self.sigma * factors[1]

    def _offsets(
        self, size: Sequence[int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        return half_gaussian_offsets(size, self.sigma, generator=generator, device=device)

    def extra_repr(self) -> str:
        """The configuration in one line."""
        return f"{super().extra_repr()}, sigma={self.sigma}"
