"""Gaussian dynamic convolution (GDC paper, section III, eq. 1 to 3) and its uniform control.

A convolution whose taps keep their direction and take a new random distance at every call, in
training and in evaluation alike: the paper averages 50 draws of a trained network.

Deviations: distances are scaled by the side of the sampled map (the paper does not say which),
positions are rounded to the nearest pixel and clamped to the map (the paper is silent), and the
draws come from a generator of the layer, never from the global one.

A CPU generator draws the offsets themselves, whatever the device of the map. A CUDA generator
draws a seed, from which the fused kernel makes the positions (`ops.gaussian_conv2d`), and so does
`draw`. Hand in `seed` for the same positions on every device.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.nn.seeded import SeededConv2d
from saccade.ops import (
    Border,
    Granularity,
    Rounding,
    Scale,
    gaussian_conv2d,
    gaussian_positions,
    grid_positions,
    half_gaussian_offsets,
    map_scale,
    offset_size,
    round_positions,
    sampled_conv2d,
    tap_directions,
    uniform_offsets,
)
from saccade.ops.positions import as_pair
from saccade.ops.sampled_conv.checks import check_names


class _DynamicConv2d(SeededConv2d):
    """Sampling of both layers; they differ in the distribution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        groups: int,
        bias: bool,
        granularity: Granularity,
        scale: Scale,
        rounding: Rounding,
        border: Border,
        seed: int | None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, groups=groups, bias=bias, seed=seed
        )
        # Wrong names should fail here and not at the first image.
        offset_size(granularity, len(tap_directions(kernel_size)), (1, 1))
        map_scale((1, 1), scale)
        round_positions(torch.zeros(1), rounding)
        check_names(border=border)
        self.granularity, self.scale, self.rounding, self.border = (
            granularity,
            scale,
            rounding,
            border,
        )

    def draw(
        self, x_or_size: Tensor | Sequence[int], generator: torch.Generator | None = None
    ) -> Tensor:
        """Draws sampling positions.

        Args:
            x_or_size: the map (B, Cin, H, W) to be sampled, or its size (H, W).
            generator: source of the offsets, by default the layer's own.

        Returns:
            (1, T, 2, H, W) absolute (y, x), shared by the batch, on whole pixels unless the
            layer's rounding is "none". On the device of the map or of the weight.
        """
        if isinstance(x_or_size, Tensor):
            size, device = as_pair(x_or_size.shape[-2:], "size"), x_or_size.device
        else:
            size, device = as_pair(x_or_size, "size"), self.weight.device
        generator = generator if generator is not None else self._generator(device)
        directions = tap_directions(self.kernel_size, device=device)
        shape = offset_size(self.granularity, len(directions), size)
        offsets = self._offsets(shape, generator, device)
        reach = directions * torch.tensor(map_scale(size, self.scale), device=device)
        return round_positions(grid_positions(size, reach, offsets), self.rounding)

    def forward(
        self,
        x: Tensor,
        *,
        generator: torch.Generator | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """Convolves at new random positions.

        Args:
            x: (B, Cin, H, W).
            generator: source of the offsets, by default the layer's own.
            positions: (B or 1, T, 2, Ho, Wo) to use instead of a draw: a draw made before, a
                fixed grid, or few locations (Ho = P, Wo = 1). `torch.compile(fullgraph=True)`
                needs them, because a generator cannot enter a graph.

        Returns:
            (B, Cout, H, W), or (B, Cout, Ho, Wo) for given positions.
        """
        return sampled_conv2d(
            x,
            self.weight,
            self.bias,
            positions=self.draw(x, generator) if positions is None else positions,
            interpolation="bilinear" if self.rounding == "none" else "nearest",
            border=self.border,
            groups=self.groups,
        )

    def _offsets(
        self, size: Sequence[int], generator: torch.Generator, device: torch.device
    ) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """The configuration in one line."""
        return (
            f"{super().extra_repr()}, granularity={self.granularity!r}, scale={self.scale!r}, "
            f"rounding={self.rounding!r}, border={self.border!r}"
        )


class GaussianDynamicConv2d(_DynamicConv2d):
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
        groups: groups of channels.
        bias: whether to learn one.
        granularity: one offset per "location" (and tap and axis), "tap" (and axis), or "layer".
        scale: "shortest" side of the sampled map, or per "axis".
        rounding: "nearest", "floor", or "none" for bilinear sampling.
        border: "clamp" or "zero".
        seed: of the layer's own generators; None takes entropy from the system.

    Raises:
        InputError: sigma < 0, unknown names, or channels that groups do not divide.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        sigma: float = 0.2,
        *,
        groups: int = 1,
        bias: bool = True,
        granularity: Granularity = "location",
        scale: Scale = "shortest",
        rounding: Rounding = "nearest",
        border: Border = "clamp",
        seed: int | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            groups=groups,
            bias=bias,
            granularity=granularity,
            scale=scale,
            rounding=rounding,
            border=border,
            seed=seed,
        )
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


class UniformDynamicConv2d(_DynamicConv2d):
    """Convolution at uniform distances, the control of the GDC paper's table VII.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: odd or even, one number or (kh, kw).
        low: least distance as a share of the map's side.
        high: greatest distance; the paper does not give its range.
        groups: groups of channels.
        bias: whether to learn one.
        granularity: one offset per "location" (and tap and axis), "tap" (and axis), or "layer".
        scale: "shortest" side of the sampled map, or per "axis".
        rounding: "nearest", "floor", or "none" for bilinear sampling.
        border: "clamp" or "zero".
        seed: of the layer's own generators; None takes entropy from the system.

    Raises:
        InputError: low > high, unknown names, or channels that groups do not divide.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        low: float = 0.0,
        high: float = 1.0,
        *,
        groups: int = 1,
        bias: bool = True,
        granularity: Granularity = "location",
        scale: Scale = "shortest",
        rounding: Rounding = "nearest",
        border: Border = "clamp",
        seed: int | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            groups=groups,
            bias=bias,
            granularity=granularity,
            scale=scale,
            rounding=rounding,
            border=border,
            seed=seed,
        )
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
